/** What can be ended. */
export interface Endable {
  abort(reason?: unknown): void;
}

/** A stream that was begun and then dropped would hold its connection, and the GPU, until a limit. */
export const dropped = new FinalizationRegistry<Endable>((run) => run.abort(new Error('Dropped unread.')));
