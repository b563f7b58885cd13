import type { ByteShape } from './byte-shape.ts';

/** How often a shape is looked for in vain before none is looked for any more. */
const mostTries = 16;

/** The shape that the records of one answer have, learned from those that are read the long way. */
export class LearnedShape {
  readonly #isShared: boolean;
  #shape: ByteShape | undefined;
  /** How many shapes there were since one was of use. */
  #tries = 0;

  /** @param isShared Whether other answers have the same: not where every record names its own. */
  constructor(isShared: boolean) {
    this.#isShared = isShared;
  }

  /** Whether it is worth while to look for one. */
  get isWanted(): boolean {
    return this.#tries < mostTries;
  }

  /** Takes the shape of a record that said nothing but a piece of text, if it has one. */
  learn(shape: ByteShape | undefined): void {
    this.#tries++;
    this.#shape = shape ?? this.#shape;
  }

  /** What a record of that shape parses to, as {@link ByteShape.recordWith} says; `undefined` for all others. */
  recordOf(bytes: Buffer, from: number, to: number): unknown {
    const shape = this.#shape;
    const text = shape?.textOf(bytes, from, to);
    if (shape === undefined || text === undefined) return undefined;
    if (this.#tries > 0) {
      this.#tries = 0;
      if (this.#isShared) this.#shape = shape.shared;
    }
    return shape.recordWith(text);
  }
}
