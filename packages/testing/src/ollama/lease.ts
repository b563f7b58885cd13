import type { Runner } from './runner.ts';

/**
 * One request's hold on a loaded model and on a slot of it. Both are given back by `end()` or by the client leaving,
 * whichever is first: a reader that has left never asks for the next piece, so its generation cannot tidy up itself.
 */
export class Lease {
  readonly #runner: Runner;
  readonly #signal: AbortSignal;
  #giveBack: (() => void) | undefined;
  #ended = false;

  /** @param runner Counted as used already. */
  constructor(runner: Runner, signal: AbortSignal) {
    this.#runner = runner;
    this.#signal = signal;
    signal.addEventListener('abort', this.end, { once: true });
    if (signal.aborted) this.end();
  }

  /** @throws {ClientLeft} when the client leaves while it waits. */
  async takeSlot(): Promise<void> {
    this.#giveBack = await this.#runner.takeSlot(this.#signal);
    if (this.#ended) this.#giveBack();
  }

  readonly end = (): void => {
    if (this.#ended) return;
    this.#ended = true;
    this.#signal.removeEventListener('abort', this.end);
    this.#giveBack?.();
    this.#runner.release();
  };
}
