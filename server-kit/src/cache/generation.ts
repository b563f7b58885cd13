import type { StreamEventBody } from '@ziggie/llm-protocol';
import { Run } from '../answer/run.ts';
import { asFailure, KitFailure } from '../failure.ts';
import type { Lease } from '../lease.ts';
import type { PlaceInLine } from '../queue/place-in-line.ts';
import type { AnswerParts } from '../routes/answer-with.ts';
import { Stop } from '../stop.ts';
import { sizeOfEvent } from '../streams/event-size.ts';
import type { Waiter } from '../waiter.ts';
import { Follower, type FollowerAsk } from './follower.ts';
import { GenerationMeter } from './generation-meter.ts';

/** How far behind the fastest a reader may fall, in times of what is kept for those who join. */
const mostLag = 4;
/** Requests that read one generation at once. */
const maxFollowers = 1000;

/** What a generation says to whoever shares it out. */
export interface GenerationEvents {
  /** It is over. The events of a whole answer, as the model wrote them; `undefined` for one that is none, or too long. */
  onOver(events: readonly StreamEventBody[] | undefined): void;
}

/**
 * One generation and all requests that read it. It goes on as fast as the fastest of them reads, and as long as there is
 * one; the model server is let go of when the last has left.
 */
export class Generation implements Waiter {
  readonly #parts: AnswerParts;
  readonly #events: GenerationEvents;
  readonly #keepBytes: number;
  readonly #followers = new Set<Follower>();
  readonly #meter: GenerationMeter;
  #run!: Run;
  #lease!: Lease;
  /** What was written, as the model wrote it; the beginning is gone once it is longer than what is kept. */
  #written: StreamEventBody[] = [];
  #dropped = 0;
  #bytes = 0;
  /** Where what was read last begins: not everybody has been woken for it. */
  #newFrom = 0;
  #end: 'done' | KitFailure | undefined;
  #isTaking = false;
  #willWake = false;
  /** Where it stands in its line. */
  place: PlaceInLine | undefined;

  /** @param keepBytes Of the answer, for those who join later and for whoever keeps it. */
  constructor(parts: AnswerParts, keepBytes: number, events: GenerationEvents) {
    this.#parts = parts;
    this.#keepBytes = keepBytes;
    this.#events = events;
    this.#meter = new GenerationMeter((follower) => this.remove(follower));
  }

  /** Begins it for the first request. @throws {KitFailure} when the kit is shutting down. */
  begin(ask: FollowerAsk): Follower {
    const follower = new Follower(this, ask, true);
    this.#start(follower);
    this.#followers.add(follower);
    return follower;
  }

  /** Whether somebody who comes now would get all of it. */
  get isOpen(): boolean {
    const fits = this.#dropped === 0 && this.#bytes <= this.#keepBytes;
    return fits && !(this.#end instanceof KitFailure) && this.#followers.size < maxFollowers;
  }

  /** One more who reads it from the beginning. */
  join(ask: FollowerAsk): Follower {
    const follower = new Follower(this, ask, false);
    this.#followers.add(follower);
    return follower;
  }

  get hasBegun(): boolean {
    return this.#run.hasBegun;
  }

  get hasEnded(): boolean {
    return this.#end === 'done';
  }

  /** How many events were written. */
  get length(): number {
    return this.#dropped + this.#written.length;
  }

  /** Whether a model server was asked on the account of this one. */
  wasSentFor(follower: Follower): boolean {
    return this.#meter.payer === follower && this.#run.wasSent;
  }

  /** Events that this one has not had, as its own; reads on when it has had all. @throws {KitFailure} */
  take(follower: Follower): StreamEventBody[] | undefined {
    if (follower.at >= this.length && this.#end === undefined) this.#read();
    if (follower.failure) throw follower.failure;
    if (follower.at < this.length) {
      const events = this.#written.slice(follower.at - this.#dropped);
      follower.at = this.length;
      return events.map((event) => ({ ...event }));
    }
    if (this.#end instanceof KitFailure) throw this.#end;
    // Its last event may have been had before it was known to be the last.
    return this.#end === 'done' ? [] : undefined;
  }

  /** This one reads no more. Harmless when repeated. */
  remove(follower: Follower): void {
    if (!this.#followers.delete(follower) || this.#end !== undefined) return;
    const [next] = this.#followers;
    if (next === undefined) {
      this.#end = new KitFailure('aborted', 'Nobody reads this answer.');
      this.#lease.leave();
      this.#events.onOver(undefined);
      return;
    }
    if (this.#meter.payer === follower) {
      this.#meter.handTo(next, this.#run.wasSent);
      // Who left is counted already: the tokens that the model server tells at the end are those of who pays then.
      this.#run.handTo(next.context);
    }
    // It may have been the one that read on.
    this.#wakeSoon();
  }

  #start(payer: Follower): void {
    let run: Run | undefined;
    const lease = this.#parts.leases.open(new Stop(), () => run?.release());
    run = new Run(
      this.#parts,
      // What an operator wants of an answer is seen to for each reader.
      { ...payer.request, filter: undefined, meter: this.#meter },
      payer.context,
      lease,
    );
    this.#run = run;
    this.#lease = lease;
    this.#meter.handTo(payer, false);
    run.waiter = this;
    run.onPlaced = this.#onPlaced;
    run.onQueued = this.#onQueued;
    run.onLoading = this.#onLoading;
    lease.signal.addEventListener('abort', () => {
      if (lease === this.#lease && lease.failure && !lease.hasLeft) this.#fail(lease.failure);
    });
  }

  /** The run may have more. */
  onReady(): void {
    this.#wake();
  }

  readonly #onPlaced = (): void => {
    this.place = undefined;
    this.#meter.payer?.onPlaced?.();
  };

  readonly #onQueued = (place: PlaceInLine): void => {
    this.place = place;
    for (const follower of [...this.#followers]) follower.moved(place);
  };

  readonly #onLoading = (elapsedMs: number, typicalMs: number | null): void => {
    for (const follower of [...this.#followers]) follower.onLoading?.(elapsedMs, typicalMs);
  };

  #read(): void {
    if (this.#isTaking) return;
    if (this.#bytes > this.#keepBytes) this.#forget();
    this.#isTaking = true;
    const run = this.#run;
    let events: StreamEventBody[] | undefined;
    try {
      events = run.take();
    } catch (thrown) {
      this.#isTaking = false;
      if (run === this.#run) this.#fail(asFailure(thrown));
      return;
    }
    this.#isTaking = false;
    if (events === undefined || this.#end !== undefined) return;
    this.#newFrom = this.length;
    for (const event of events) {
      this.#written.push(event);
      this.#bytes += sizeOfEvent(event);
    }
    if (run.ended) this.#finish();
    if (events.length > 0 || run.ended) this.#wakeSoon();
  }

  #finish(): void {
    this.#end = 'done';
    this.#lease.close();
    const isWhole = this.#dropped === 0 && this.#bytes <= this.#keepBytes;
    this.#events.onOver(isWhole ? this.#written : undefined);
  }

  #fail(failure: KitFailure): void {
    if (this.#end !== undefined) return;
    const { payer } = this.#meter;
    const [next] = [...this.#followers].filter((one) => one !== payer);
    if (failure.code === 'aborted' && payer && next && !this.#run.hasBegun) {
      // Its owner took it out of the line. The others did not ask for that: the next one waits in its own name.
      payer.failure = failure;
      this.#followers.delete(payer);
      this.#lease.close();
      this.place = undefined;
      this.#start(next);
      payer.waiter?.onReady();
    } else {
      this.#end = failure;
      this.#lease.close();
      this.#events.onOver(undefined);
    }
    this.#wakeSoon();
  }

  /** Lets go of what everybody has had; and, when that is not enough, of whoever is too far behind. */
  #forget(): void {
    this.#trim();
    if (this.#bytes <= mostLag * this.#keepBytes) return;
    for (const follower of [...this.#followers]) {
      if (follower.at >= this.#newFrom) continue;
      follower.failure = new KitFailure(
        'deadline_exceeded',
        'The reader fell too far behind the answer, so it was ended.',
      );
      this.remove(follower);
      follower.waiter?.onReady();
    }
    this.#trim();
  }

  #trim(): void {
    const had = Math.min(this.length, ...[...this.#followers].map(({ at }) => at)) - this.#dropped;
    for (const event of this.#written.splice(0, had)) this.#bytes -= sizeOfEvent(event);
    this.#dropped += had;
  }

  /** Not within somebody else's reading: one turn of the loop wakes all. */
  #wakeSoon(): void {
    if (this.#willWake) return;
    this.#willWake = true;
    queueMicrotask(() => {
      this.#willWake = false;
      this.#wake();
    });
  }

  #wake(): void {
    for (const follower of [...this.#followers]) if (follower.isWaiting) follower.waiter?.onReady();
  }
}
