/** Characters that turn the direction of the text after them, and isolates. They have no place in code. */
const CONTROLS = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * Code with its direction controls as visible words, such as `[U+202E]`: invisible, they let code read otherwise than it
 * runs.
 *
 * @see CVE-2021-42574 ("Trojan Source").
 */
export function showBidi(code: string): string {
  return code.replace(CONTROLS, (char) => `[U+${char.charCodeAt(0).toString(16).toUpperCase()}]`);
}
