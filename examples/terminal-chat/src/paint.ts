/** Colours by meaning; each gives the text back unchanged where colours are off. */
export interface Paint {
  on: boolean;
  dim: (text: string) => string;
  bold: (text: string) => string;
  code: (text: string) => string;
  accent: (text: string) => string;
  good: (text: string) => string;
  bad: (text: string) => string;
}

/** @see https://no-color.org for the variable: any value but an empty one turns colours off. */
export function createPaint(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Paint {
  const on = (isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb') || env['FORCE_COLOR'] === '1';
  const style =
    (open: number, close: number) =>
    (text: string): string =>
      on && text !== '' ? `\x1b[${open}m${text}\x1b[${close}m` : text;
  return {
    on,
    dim: style(2, 22),
    bold: style(1, 22),
    code: style(36, 39),
    accent: style(35, 39),
    good: style(32, 39),
    bad: style(31, 39),
  };
}

/**
 * Model text for a terminal: without escape sequences and control characters, with which it could move the cursor, set the
 * clipboard or write over what is there, and without marks that turn the direction of text.
 */
export function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '');
}
