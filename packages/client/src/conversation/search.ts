import type { ConversationRecord } from './storage-port.ts';

/** Characters of the excerpt before and after what was found. */
const AROUND = 40;

/** The words of a query as they are compared: without case and accents. */
export function wordsOf(query: string): string[] {
  return fold(query)
    .split(/\s+/)
    .filter((word) => word !== '');
}

/** Where a record holds all of the words, in its title or in one message; `null` when nowhere. */
export function matchesOf(
  { title, nodes }: ConversationRecord,
  words: readonly string[],
): { messageId: string | null; excerpt: string } | null {
  if (title !== null && holds(fold(title), words)) return { messageId: null, excerpt: title };
  for (const { id, text } of nodes) {
    if (holds(fold(text), words)) return { messageId: id, excerpt: excerptOf(text, words[0] ?? '') };
  }
  return null;
}

function holds(folded: string, words: readonly string[]): boolean {
  return words.every((word) => folded.includes(word));
}

/** Decomposed, without marks, in lower case: `Ås` and `as` are the same. */
function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

function excerptOf(text: string, word: string): string {
  // Folding moves characters: the place is where as much was folded as stands before the word.
  const target = fold(text).indexOf(word);
  let at = 0;
  for (let step = 2 ** Math.ceil(Math.log2(text.length + 1)); step >= 1; step /= 2) {
    if (at + step <= text.length && fold(text.slice(0, at + step)).length <= target) at += step;
  }
  const start = Math.max(0, at - AROUND);
  const end = Math.min(text.length, at + word.length + AROUND);
  const line = text.slice(start, end).replace(/\s+/g, ' ').trim();
  return `${start > 0 ? '…' : ''}${line}${end < text.length ? '…' : ''}`;
}
