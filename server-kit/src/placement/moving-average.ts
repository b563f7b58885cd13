/** An average in which the newest value weighs a fifth. */
export class MovingAverage {
  #value: number | undefined;

  /** `undefined` before the first value. */
  get value(): number | undefined {
    return this.#value;
  }

  add(value: number): void {
    this.#value = this.#value === undefined ? value : this.#value + (value - this.#value) / 5;
  }
}
