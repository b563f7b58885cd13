import { hashText } from './random.ts';

/** Where a word counts, and how much: in the whole vector, and a little in its beginning, so that a shortened one still tells texts apart. */
const places: readonly (readonly [size: number, weight: number])[] = [
  [Number.POSITIVE_INFINITY, 1],
  [64, 0.5],
  [16, 0.35],
];

/** Words that say little of what a text is about. */
const functionWord = /^(?:\p{L}{1,2}|the|and|for|are|was|with|that|this)$/u;

/**
 * Word counts, each word at the places its hash gives it, so that texts which share words are near each other. Not of unit
 * length yet.
 */
export function countWords(text: string, length: number): number[] {
  const vector = new Array<number>(length).fill(0);
  for (const word of text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ['']) {
    const worth = functionWord.test(word) ? 0.2 : 1;
    for (const [size, share] of places) {
      const weight = worth * share;
      const hash = hashText(`${word} ${size}`);
      const at = hash % Math.min(size, length);
      // The sign keeps two words that share a place from looking alike.
      vector[at] = (vector[at] ?? 0) + ((hash >>> 16) % 2 === 0 ? weight : -weight);
    }
  }
  return vector;
}

/** The first `dimensions` numbers at unit length, in single precision. */
export function unitVector(vector: readonly number[], dimensions: number): number[] {
  const kept = vector.slice(0, dimensions);
  const size = Math.hypot(...kept);
  return kept.map((value) => singlePrecision(size === 0 ? 1 / Math.sqrt(kept.length) : value / size));
}

/** The nearest 32-bit number, written with no more digits than it needs, as Go prints it. */
export function singlePrecision(value: number): number {
  const single = Math.fround(value);
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(single.toPrecision(digits));
    if (Math.fround(short) === single) return short;
  }
  return Number(single.toPrecision(9));
}

/** Little-endian 32-bit numbers in base64, as `encoding_format: "base64"` wants them. */
export function base64Vector(vector: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4));
  for (const [at, value] of vector.entries()) view.setFloat32(at * 4, value, true);
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
}
