/** Small readers of the beginning of a markdown line. All take `text` and a range, none makes a copy of it. */

export function isSpace(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 32 || code === 9;
}

/** How many times `char` stands here in a row. */
export function runLength(text: string, start: number, end: number, char: string): number {
  let at = start;
  while (at < end && text[at] === char) at += 1;
  return at - start;
}

export function restIsBlank(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (!isSpace(text, at)) return false;
  return true;
}

/** Length of a list marker (`-`, `1.`) here, or 0. One right under a paragraph must be a bullet or `1`, and not empty. */
export function listMarkerLength(text: string, at: number, end: number, underParagraph: boolean): number {
  const first = text[at];
  let length = 0;
  if (first === '-' || first === '*' || first === '+') {
    length = 1;
  } else {
    while (length < 10 && at + length < end && isDigit(text, at + length)) length += 1;
    const delimiter = at + length < end ? text[at + length] : '';
    if (length === 0 || length > 9 || (delimiter !== '.' && delimiter !== ')')) return 0;
    if (underParagraph && !(length === 1 && first === '1')) return 0;
    length += 1;
  }
  const after = at + length;
  if (after < end && !isSpace(text, after)) return 0;
  return underParagraph && restIsBlank(text, after, end) ? 0 : length;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

/** Whether a thematic break (`---`, `* * *`) stands here. Under a paragraph, dashes alone are its underline. */
export function isRule(text: string, start: number, end: number, underParagraph: boolean): boolean {
  const char = text[start];
  if (char !== '-' && char !== '*' && char !== '_') return false;
  let count = 0;
  let gaps = 0;
  let spaceBefore = false;
  for (let at = start; at < end; at += 1) {
    if (text[at] === char) {
      count += 1;
      if (spaceBefore) gaps += 1;
      spaceBefore = false;
    } else if (isSpace(text, at)) spaceBefore = true;
    else return false;
  }
  return count >= 3 && !(char === '-' && underParagraph && gaps === 0);
}

/** Length of an opening code fence here, or 0. */
export function fenceLength(text: string, at: number, end: number): number {
  const char = text[at] ?? '';
  if (char !== '`' && char !== '~') return 0;
  const length = runLength(text, at, end, char);
  if (length < 3) return 0;
  const tick = char === '`' ? text.indexOf('`', at + length) : -1;
  return tick >= 0 && tick < end ? 0 : length;
}
