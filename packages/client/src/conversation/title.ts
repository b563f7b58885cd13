const MAX_LENGTH = 60;

/** A title from a message: its first 60 characters on one line, cut at a word, with an ellipsis when something is missing. */
export function titleOf(text: string): string {
  // No title needs more than this, and the message may be a whole file.
  const line = text.slice(0, 4096).trim().replace(/\s+/g, ' ');
  const characters = [...line];
  if (characters.length <= MAX_LENGTH) return line;
  const start = characters.slice(0, MAX_LENGTH).join('');
  const space = characters[MAX_LENGTH] === ' ' ? start.length : start.lastIndexOf(' ');
  return `${space > 0 ? start.slice(0, space) : start}…`;
}
