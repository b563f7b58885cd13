import type { Clock } from '../types.ts';

/** A run as the doer holds it. */
export interface Run {
  /** The answer that it writes. */
  readonly messageId: string;
  readonly abort: AbortController;
  readonly startedAt: number;
  /** Wall time in ms that does not jump while the run lasts, whatever happens to the clock of the machine. */
  readonly now: () => number;
}

/** Wall time once, from there on the monotonic clock. */
export function beginRun(messageId: string, startedAt: number, clock: Clock): Run {
  const start = clock.now();
  return {
    messageId,
    abort: new AbortController(),
    startedAt,
    now: () => startedAt + (clock.now() - start),
  };
}

/** The value, or a rejection as soon as the run is stopped, however long the other side takes to notice. */
export async function whileWanted<T>({ abort: { signal } }: Run, promise: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let leave: (() => void) | undefined;
  const stopped = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    if (leave !== undefined) signal.removeEventListener('abort', leave);
  }
}
