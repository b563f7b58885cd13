import type { AnswerRun } from '../answer/answer-run.ts';
import { EventStream } from '../answer/event-stream.ts';
import type { AnswerParts } from '../routes/answer-with.ts';
import type { StopSignal } from '../stop.ts';
import type { EventFeed } from './event-feed.ts';
import type { LoggedEnd } from './logged-run.ts';

/** How a run that is logged is to be. */
export interface LoggedWish {
  /** Aborts when whoever asked has gone. */
  left: StopSignal;
  isResumable: boolean;
  id?: string | undefined;
  onOver?: ((end: LoggedEnd) => void) | undefined;
}

/**
 * The events of a run, once the first of them is there: straight from it, or out of a log when somebody might come back
 * for them or others read them, too.
 *
 * @throws {KitFailure} when the run fails before.
 */
export async function openFeed(
  parts: AnswerParts,
  run: AnswerRun,
  wish: LoggedWish | undefined,
): Promise<EventFeed> {
  const { clock, timeouts, resume } = parts.settings;
  if (wish && resume) {
    const { left, ...more } = wish;
    const readerLease = parts.leases.open(left, () => {}, run.context.admission);
    const { heartbeatMs } = timeouts;
    const started = parts.streams.begin(run, { ...more, settings: resume, heartbeatMs, readerLease });
    if (started) {
      const failure = await started.stream.first;
      if (failure === undefined) return started.reader;
      started.reader.leave();
      throw failure;
    }
    readerLease.close();
  }
  const stream = new EventStream(run, timeouts.heartbeatMs, clock);
  const failure = await stream.first;
  if (failure) throw failure;
  return stream;
}
