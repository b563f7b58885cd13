import type { Family } from './exposition.ts';
import { Histogram } from './histogram.ts';

/** What one combination of labels has come to. */
interface Sample<T> {
  readonly labels: readonly string[];
  value: T;
}

/** Labels are looked up one after another: to put them together to one text costs more than to count. */
interface Node<T> {
  readonly next: Map<string, Node<T>>;
  sample: Sample<T> | undefined;
}

/** One number, or one histogram, for each combination of labels that has been seen; of up to three labels. */
export class Series<T extends number | Histogram> {
  readonly #name: string;
  readonly #help: string;
  readonly #labels: readonly string[];
  readonly #root: Node<T> = { next: new Map(), sample: undefined };
  /** In the order in which they were seen first. */
  readonly #samples: Sample<T>[] = [];
  readonly #first: () => T;

  constructor(name: string, help: string, labels: readonly string[], first: () => T) {
    this.#name = name;
    this.#help = help;
    this.#labels = labels;
    this.#first = first;
  }

  get family(): Family {
    const samples = this.#samples.map(
      ({ labels, value }) =>
        [
          Object.fromEntries(this.#labels.map((label, at) => [label, labels[at] ?? ''] as const)),
          value,
        ] as const,
    );
    return {
      name: this.#name,
      help: this.#help,
      type: typeof this.#first() === 'number' ? 'counter' : 'histogram',
      samples,
    };
  }

  protected sample(first: string, second: string, third: string): Sample<T> {
    const count = this.#labels.length;
    let node = this.#root;
    if (count > 0) node = below(node, first);
    if (count > 1) node = below(node, second);
    if (count > 2) node = below(node, third);
    if (node.sample === undefined) {
      node.sample = { labels: [first, second, third].slice(0, count), value: this.#first() };
      this.#samples.push(node.sample);
    }
    return node.sample;
  }
}

function below<T>({ next }: Node<T>, label: string): Node<T> {
  let node = next.get(label);
  if (node === undefined) {
    node = { next: new Map(), sample: undefined };
    next.set(label, node);
  }
  return node;
}

/** Counts by labels. */
export class Counter extends Series<number> {
  constructor(name: string, help: string, labels: readonly string[] = []) {
    super(name, help, labels, () => 0);
  }

  add(amount: number, first = '', second = '', third = ''): void {
    this.sample(first, second, third).value += amount;
  }
}

/** Distributions by labels. */
export class Histograms extends Series<Histogram> {
  constructor(name: string, help: string, upperBounds: readonly number[], labels: readonly string[] = []) {
    super(name, help, labels, () => new Histogram(upperBounds));
  }

  observe(value: number, first = '', second = '', third = ''): void {
    this.sample(first, second, third).value.observe(value);
  }
}
