/** Bounds of histograms, in seconds. */
export const bounds = {
  duration: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600],
  firstToken: [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120],
  perToken: [0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2],
  wait: [0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300],
  load: [0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600],
  overhead: [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05],
} as const;

/** How often values fell below each of some bounds; one array and no object per value. */
export class Histogram {
  readonly bounds: readonly number[];
  /** Per bound, and for what is above the last. Not cumulated. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(upperBounds: readonly number[]) {
    this.bounds = upperBounds;
    this.counts = new Float64Array(upperBounds.length + 1);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.bounds.length && value > (this.bounds[at] as number)) at++;
    this.counts[at] = (this.counts[at] as number) + 1;
    this.sum += value;
  }
}
