import { hash } from 'node:crypto';

/**
 * A number in [0, 1) that is the same for the same words every time and on every node, and spread evenly over others: the
 * first 48 bits of SHA-256. Words are joined by their lengths, so that no two lists are one.
 */
export function shareOf(...words: readonly string[]): number {
  const digest = hash('sha256', words.map((word) => `${word.length}:${word}`).join(''), 'buffer');
  return digest.readUIntBE(0, 6) / 2 ** 48;
}

/** The one of several with shares that a number in [0, 1) falls on. */
export function pick<T extends { weight?: number | undefined }>(
  some: readonly T[],
  at: number,
): T | undefined {
  const all = some.reduce((sum, { weight = 1 }) => sum + weight, 0);
  let upTo = 0;
  for (const one of some) {
    upTo += one.weight ?? 1;
    if (at * all < upTo) return one;
  }
  return some.at(-1);
}
