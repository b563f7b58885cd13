import { KitFailure } from '../failure.ts';
import type { Detector, Found } from './detectors.ts';
import type { TextGuard } from './text-guard.ts';

/** Something to be found, and what stands in its place; without a label the text is refused. */
export interface Rule {
  detector: Detector;
  label: string | undefined;
}

/** Text that has gone and that a match may begin in, in characters. */
const contextLength = 320;
/** Most text that is kept for a match to end. What is longer is none. */
const maxKept = 16_384;

/**
 * Replaces what its rules find, or refuses it, wherever the pieces of the text are cut. Kept back is only an end that may
 * still become a match, which for common text is the word being written.
 */
export class PatternGuard implements TextGuard {
  readonly #rules: readonly Rule[];
  /** The last of what has gone, as it was. */
  #context = '';
  #kept = '';

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
  }

  push(text: string): string {
    this.#kept += text;
    return this.#release(false);
  }

  flush(): string {
    return this.#release(true);
  }

  #release(all: boolean): string {
    const text = this.#context + this.#kept;
    const gone = this.#context.length;
    const limit = all ? text.length : this.#openAt(text, gone);
    const found = this.#found(text, gone, limit);
    // A match that reaches into what must wait waits as a whole.
    // What is kept has a bound: a match that does not end by then is taken as it is.
    const mustEnd = text.length - gone > maxKept;
    const end = found.reduce(
      (least, one) => (one.end > limit && !mustEnd ? Math.min(least, one.start) : least),
      limit,
    );
    let out = '';
    let at = gone;
    for (const { start, end: stop, label } of found) {
      if (stop <= at || start >= end || (stop > limit && !mustEnd)) continue;
      out += text.slice(at, Math.max(at, start)) + label;
      at = stop;
    }
    if (at < end) {
      out += text.slice(at, end);
      at = end;
    }
    this.#kept = text.slice(at);
    this.#context = text.slice(Math.max(0, at - contextLength), at);
    return out;
  }

  #openAt(text: string, gone: number): number {
    let limit = text.length;
    for (const { detector } of this.#rules) limit = Math.min(limit, detector.openAt(text));
    return Math.max(gone, limit, text.length - maxKept);
  }

  /**
   * What is to be replaced and not wholly gone, in order. Two may overlap: what the second has more than the first is
   * replaced as well, or a key that begins within an address would go out but for its first letters.
   *
   * @throws {KitFailure} `content_blocked`
   */
  #found(text: string, gone: number, limit: number): Labelled[] {
    const all: Labelled[] = [];
    for (const { detector, label } of this.#rules) {
      for (const { start, end } of detector.find(text)) {
        if (end <= gone) continue;
        if (label === undefined) throw blocked();
        if (start < limit) all.push({ start, end, label });
      }
    }
    return all.sort((a, b) => a.start - b.start || b.end - a.end);
  }
}

interface Labelled extends Found {
  label: string;
}

/** The refusal of text that holds a phrase that may not pass. */
export function blocked(): KitFailure {
  return new KitFailure('content_blocked', 'The text holds something that is not allowed here.', {
    reason: 'blocked phrase',
  });
}
