import { asFailure } from '../failure.ts';
import type { Lease } from '../lease.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { PlaceInLine } from './place-in-line.ts';
import type { PlaceLease } from './place-lease.ts';
import type { Waiting } from './waiting.ts';

/**
 * Waits for a turn. A request that ends meanwhile is out of its line at once.
 *
 * @throws {KitFailure} what ended the wait: `queue_timeout`, the client that left, a drain.
 */
export async function waitInLine(
  queue: Dispatcher,
  waiting: Waiting,
  lease: Lease,
  onMove: (place: PlaceInLine) => void,
): Promise<PlaceLease> {
  const { signal } = lease;
  const leave = () => void queue.leave(waiting, asFailure(signal.reason));
  waiting.onMove = onMove;
  if (signal.aborted) leave();
  else signal.addEventListener('abort', leave, { once: true });
  try {
    return await waiting.placed;
  } finally {
    signal.removeEventListener('abort', leave);
    waiting.onMove = undefined;
  }
}
