import { ProtocolError, type StreamEventBody } from '@ziggie/llm-protocol';
import type { UpstreamRecords } from '../answer/upstream-records.ts';
import { asFailure, type KitFailure } from '../failure.ts';
import type { Lease } from '../lease.ts';
import type { PlaceLease } from '../queue/place-lease.ts';
import { Stop } from '../stop.ts';
import { recordFailure, streamFailure } from '../upstream/failures.ts';
import { faultsOf } from './faults.ts';
import type { Arrival, RecordDecoder } from './record-decoder.ts';

/** What records need of a lease. */
export type LegLease = Pick<Lease, 'signal' | 'setTimer'>;

/** One of the requests that race, on its place. */
export interface Leg {
  place: PlaceLease;
  records: UpstreamRecords;
  /** For whoever reads the answer; it has seen what was handed out. */
  decoder: RecordDecoder;
  /** Ends this one alone. */
  stop: Stop;
}

/** A lease whose end is this leg's, and which can be ended by itself: a request without an answer has nothing else to close. */
export function legLease(lease: Lease): { lease: LegLease; stop: Stop } {
  const stop = new Stop();
  const { signal } = lease;
  if (signal.aborted) stop.abort(signal.reason);
  else signal.addEventListener('abort', () => stop.abort(signal.reason), { once: true });
  return { lease: { signal: stop, setTimer: (run, ms) => lease.setTimer(run, ms) }, stop };
}

interface Runner extends Leg {
  /** Reads ahead: who has a token first. What it reads is handed out by the winner and read again. */
  peek: RecordDecoder;
  held: Arrival[];
}

/**
 * Two requests for one answer: whoever has the first token wins, the other is closed at once and its place given back. One
 * that fails meanwhile is out; the race is lost when both have.
 */
export class Race {
  #runners: Runner[];
  /** The one that was asked at first. */
  readonly first: Leg;

  constructor(first: Leg, second: Leg, newDecoder: (leg: Leg) => RecordDecoder) {
    this.first = first;
    this.#runners = [first, second].map((leg) => ({ ...leg, peek: newDecoder(leg), held: [] }));
  }

  /** The winner and what it has said so far, once there is one. @throws {KitFailure} when nobody is left. */
  take(): { leg: Leg; records: Arrival[] } | undefined {
    let last: KitFailure | undefined;
    for (const runner of [...this.#runners]) {
      try {
        if (!hasSpoken(runner)) continue;
        for (const other of this.#runners) if (other !== runner) drop(other, undefined);
        this.#runners = [];
        return { leg: runner, records: runner.held };
      } catch (thrown) {
        last = asFailure(thrown);
        if (this.#runners.length === 1) throw last;
        this.#runners = this.#runners.filter((one) => one !== runner);
        drop(runner, last);
      }
    }
    return undefined;
  }

  /** Those that still run, the first one first. */
  get legs(): readonly Leg[] {
    return this.#runners;
  }

  /** The whole request is over. */
  end(failure: KitFailure | undefined): void {
    for (const runner of this.#runners) drop(runner, failure);
    this.#runners = [];
  }
}

/** Whether something of the answer itself is here, or its end. @throws {KitFailure} */
function hasSpoken({ records, peek, held }: Runner): boolean {
  for (;;) {
    const some = records.take();
    if (some === undefined) return false;
    held.push(...some);
    // What comes behind the first word is the reader's to judge.
    for (const record of some) {
      const events: StreamEventBody[] = [];
      try {
        if (typeof record === 'object') events.push(record);
        else peek.read(record, events);
      } catch (thrown) {
        throw thrown instanceof ProtocolError ? recordFailure(thrown) : thrown;
      }
      for (const event of events)
        if (event.type === 'error') throw streamFailure(event.code, event.retryable);
      if (events.some(({ type }) => type !== 'usage')) return true;
    }
  }
}

function drop({ place, records, stop }: Leg, failure: KitFailure | undefined): void {
  const isFault = failure !== undefined && faultsOf(failure.code).isFault;
  place.release(isFault ? 'failed' : 'left', failure?.code);
  records.cancel();
  stop.abort(overtaken);
}

/** Why a request is closed whose answer came from elsewhere. */
const overtaken = new DOMException('Another model server was faster.', 'AbortError');
