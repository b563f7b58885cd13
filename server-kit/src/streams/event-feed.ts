import type { EventSource } from '../answer/event-stream.ts';

/** Numbered events on their way to one reader: of a run, or of the log of one. */
export interface EventFeed extends EventSource {
  /** Id of the run. */
  readonly id: string;
}
