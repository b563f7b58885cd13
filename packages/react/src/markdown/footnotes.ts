/**
 * Footnotes stand where they are written, as `[1]`: their two halves may be in different blocks, and ids would clash between
 * messages. To the parser they are text, or the address of a link when the note is a single word.
 */

/** The mark of a footnote that was read as a link or as the address of one, `null` for real ones. */
export function footnoteMark({ label }: { label?: string | null | undefined }): string | null {
  return label?.startsWith('^') === true ? `[${label.slice(1)}]` : null;
}

/**
 * A text with its footnotes marked so. Without the place it points to, a mark with letters in it may as well be a piece of a
 * regular expression, and stays as it is.
 */
export function markFootnotes(text: string): string {
  if (!text.includes('[^')) return text;
  return text.replace(/^\[\^([\w-]{1,40})\]:/, '[$1]').replace(/\[\^(\d{1,3})\]/g, '[$1]');
}
