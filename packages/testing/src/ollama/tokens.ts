/**
 * Cuts a text into pieces about the size of a language model's tokens: words and numbers with the space before them,
 * punctuation by itself, line ends together. Joined they are the text; no character is split.
 */
export function tokenize(text: string): string[] {
  return text.match(/ ?[\p{L}\p{M}]{1,12}| ?\p{N}{1,3}|\s*\n+| ?[^\s\p{L}\p{N}]{1,3}|\s+/gu) ?? [];
}

/** How many tokens a text has. */
export function countTokens(text: string): number {
  return tokenize(text).length;
}
