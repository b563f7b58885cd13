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
  let waiting: StreamEvent[] = [];
  let hasEnded = false;
  let wake = () => {};
  const sink: EventSink = {
    write: (events) => {
      waiting.push(...events);
      wake();
    },
    beat: () => {},
    end: () => {
      hasEnded = true;
      wake();
    },
  };
  feed.attach(sink);
  return {
    get ended() {
      return hasEnded && waiting.length === 0;
    },
    async next() {
      if (waiting.length === 0 && !hasEnded) {
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        feed.pull();
        await woken;
      }
      const events = waiting;
      waiting = [];
      const last = events.at(-1);
      if (last?.type === 'error') {
        const { code, message, retryable, retryAfterMs } = last;
        throw new KitFailure(code, message, { retryable, retryAfterMs });
      }
      return events;
    },
  };
}
