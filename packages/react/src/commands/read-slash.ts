/** A draft that begins with a slash and a name: `/translate Good morning`. */
export interface SlashDraft {
  readonly name: string;
  /** `null` while only the name is typed; then what stands after it. */
  readonly argument: string | null;
}

/** Reads a draft as a command; `null` when it is none, such as `/usr/bin` or words before the slash. */
export function readSlash(text: string): SlashDraft | null {
  const found = /^\/([a-z0-9-]*)(?:\s+([\s\S]*))?$/i.exec(text);
  if (found === null) return null;
  const [whole, name = '', argument] = found;
  return { name: name.toLowerCase(), argument: whole.length > name.length + 1 ? (argument ?? '') : null };
}
