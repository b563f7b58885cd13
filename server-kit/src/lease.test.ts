import { expect, test } from 'vitest';
import { systemClock } from './clock.ts';
import { LeaseBook } from './lease.ts';
import { Stop } from './stop.ts';

test('everybody who waits for the last lease to close hears of it, not only who came last', async () => {
  const book = new LeaseBook(systemClock, () => false);
  const lease = book.open(new Stop(), () => {});
  const waits = Promise.all([book.idle(), book.idle()]);
  lease.close();
  await waits;
  expect(book.active).toBe(0);
});
