import type { Clock } from '../types.ts';

/** What `within` rejects with when the time is over. */
export class TimeIsOver extends Error {}

/**
 * Does the work with a signal that fires when the outer one does or the time is over. The work may ignore the signal:
 * nobody waits for it then.
 *
 * @throws The outer signal's reason, {@link TimeIsOver}, or what the work throws.
 */
export async function within<T>(
  clock: Clock,
  limitMs: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => T | Promise<T>,
): Promise<T> {
  outer.throwIfAborted();
  const control = new AbortController();
  let cancel = (): void => {};
  let onAbort = (): void => {};
  const ended = new Promise<never>((_, reject) => {
    const end = (reason: unknown): void => {
      reject(reason);
      control.abort(reason);
    };
    onAbort = () => end(outer.reason);
    outer.addEventListener('abort', onAbort, { once: true });
    if (limitMs !== Infinity) cancel = clock.setTimer(() => end(new TimeIsOver()), limitMs);
  });
  try {
    return await Promise.race([ended, (async () => work(control.signal))()]);
  } finally {
    cancel();
    outer.removeEventListener('abort', onAbort);
  }
}
