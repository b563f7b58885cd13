import type { StreamEvent } from '@ziggie/llm-protocol';
import type { EventSink } from '../answer/event-stream.ts';
import type { WholeSource } from '../answer/whole-answer.ts';
import { KitFailure } from '../failure.ts';
import type { EventFeed } from './event-feed.ts';

/**
 * Takes the events of a feed as they come, for a reader who wants them all at once. `next` throws the failure that an `error`
 * event tells.
 */
export function takeAll(feed: EventFeed): WholeSource {
  return new WholeFeed(feed);
}

class WholeFeed implements WholeSource, EventSink {
  readonly #feed: EventFeed;
  #waiting: StreamEvent[] = [];
  #hasEnded = false;
  #wake = () => {};

  constructor(feed: EventFeed) {
    this.#feed = feed;
    feed.attach(this);
  }

  write(events: readonly StreamEvent[]): void {
    this.#waiting.push(...events);
    this.#wake();
  }

  beat(): void {}

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  get ended(): boolean {
    return this.#hasEnded && this.#waiting.length === 0;
  }

  async next(): Promise<readonly StreamEvent[]> {
    if (this.#waiting.length === 0 && !this.#hasEnded) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#feed.pull();
      await woken;
    }
    const events = this.#waiting;
    this.#waiting = [];
    const last = events.at(-1);
    if (last?.type === 'error') {
      const { code, message, retryable, retryAfterMs } = last;
      throw new KitFailure(code, message, { retryable, retryAfterMs });
    }
    return events;
  }
}
