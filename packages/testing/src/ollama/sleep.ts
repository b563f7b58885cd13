import type { FakeClock } from '../types.ts';
import { ClientLeft } from './http-failure.ts';

/**
 * Waits `ms` of the clock, `Infinity` for ever.
 *
 * @throws {ClientLeft} as soon as the signal fires.
 */
export function sleep(clock: FakeClock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new ClientLeft());
    if (ms <= 0) return resolve();
    const leave = () => {
      cancel();
      reject(new ClientLeft());
    };
    const cancel = Number.isFinite(ms)
      ? clock.setTimer(() => {
          signal.removeEventListener('abort', leave);
          resolve();
        }, ms)
      : () => {};
    signal.addEventListener('abort', leave, { once: true });
  });
}
