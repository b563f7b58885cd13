import type { StreamEventBody } from '@ziggie/llm-protocol';
import { outrunFailure } from '../limits/limit-failure.ts';
import type { AnswerMeter } from '../limits/meter.ts';
import type { Follower } from './follower.ts';

/**
 * Charges a shared generation once: to whoever began it, and from the moment it leaves to the next one, for the rest.
 */
export class GenerationMeter implements AnswerMeter {
  #payer: Follower | undefined;
  /** Tokens of the answer that others have paid for. */
  #paidTokens = 0;
  #changedHands = false;
  /** Ends a follower for which there is no room in its quota any more. */
  readonly #end: (follower: Follower) => void;

  constructor(end: (follower: Follower) => void) {
    this.#end = end;
  }

  get payer(): Follower | undefined {
    return this.#payer;
  }

  /** @param wasSent Whether the model server may have worked for the one before. */
  handTo(next: Follower, wasSent: boolean): void {
    const before = this.#payer?.meter;
    this.#payer = next;
    if (!before?.hasBegun && !wasSent) return;
    this.#changedHands = true;
    this.#paidTokens += before?.used.outputTokens ?? 0;
    next.meter?.inputIsPaid();
    // Its share of the GPU's time begins now.
    next.onPlaced?.();
  }

  see(event: StreamEventBody): void {
    const meter = this.#payer?.meter;
    if (meter === undefined) return;
    if (!this.#changedHands) meter.see(event);
    else if (event.type === 'usage') {
      meter.see({ ...event, outputTokens: Math.max(0, event.outputTokens - this.#paidTokens) });
    } else if (event.type !== 'done') meter.see(event);
  }

  /** Never: a quota that is used up ends the one whose it is, not the others. */
  get isOver(): boolean {
    while (this.#payer?.meter?.isOver) {
      const { lease } = this.#payer;
      const over = this.#payer;
      this.#end(over);
      lease.fail(outrunFailure());
      if (this.#payer === over) return true;
    }
    return false;
  }
}
