import type { Family, Labels } from './exposition.ts';
import { Histogram } from './histogram.ts';

const between = '\u0000';

/** One number, or one histogram, for each combination of labels that has been seen. */
export class Series<T extends number | Histogram> {
  readonly #name: string;
  readonly #help: string;
  readonly #labels: readonly string[];
  readonly #values = new Map<string, T>();
  readonly #isCounter: boolean;
  readonly #first: () => T;

  constructor(name: string, help: string, labels: readonly string[], first: () => T) {
    this.#name = name;
    this.#help = help;
    this.#labels = labels;
    this.#first = first;
    this.#isCounter = typeof first() === 'number';
  }

  get family(): Family {
    const samples = [...this.#values].map(([key, value]) => [this.#labelsOf(key), value] as const);
    return {
      name: this.#name,
      help: this.#help,
      type: this.#isCounter ? 'counter' : 'histogram',
      samples,
    };
  }

  at(key: string): T {
    let value = this.#values.get(key);
    if (value === undefined) {
      value = this.#first();
      this.#values.set(key, value);
    }
    return value;
  }

  set(key: string, value: T): void {
    this.#values.set(key, value);
  }

  #labelsOf(key: string): Labels {
    const texts = key.split(between);
    return Object.fromEntries(this.#labels.map((label, at) => [label, texts[at] ?? '']));
  }
}

/** Counts by labels. */
export class Counter extends Series<number> {
  constructor(name: string, help: string, labels: readonly string[] = []) {
    super(name, help, labels, () => 0);
  }

  add(amount: number, ...labels: string[]): void {
    const key = labels.join(between);
    this.set(key, this.at(key) + amount);
  }
}

/** Distributions by labels. */
export class Histograms extends Series<Histogram> {
  constructor(name: string, help: string, upperBounds: readonly number[], labels: readonly string[] = []) {
    super(name, help, labels, () => new Histogram(upperBounds));
  }

  observe(value: number, ...labels: string[]): void {
    this.at(labels.join(between)).observe(value);
  }
}
