import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RevocationStore } from '../../src/index.ts';
import type { SetClock } from '../harness.ts';

/** What every store of revocations must do. */
export function revocationStoreContract(
  name: string,
  open: () => Promise<{ store: RevocationStore; clock: SetClock; close(): Promise<void> | void }>,
): void {
  describe(`revocations in ${name}`, () => {
    let store: RevocationStore;
    let clock: SetClock;
    let close: () => Promise<void> | void;
    beforeEach(async () => {
      ({ store, clock, close } = await open());
    });
    afterEach(() => close());

    test('answers in the order asked', async () => {
      const now = clock.wallMs;
      await store.revoke('a', now, now + 1000);
      await store.revoke('b', now + 5, now + 1000);
      expect(await store.revokedAt(['c', 'b', 'a'])).toEqual([undefined, now + 5, now]);
    });

    test('a note may be forgotten at its end and not before', async () => {
      const now = clock.wallMs;
      await store.revoke('a', now, now + 1000);
      clock.advance(999);
      expect(await store.revokedAt(['a'])).toEqual([now]);
      clock.advance(1);
      expect(await store.revokedAt(['a'])).toEqual([undefined]);
    });

    test('the later note wins, whichever came first', async () => {
      const now = clock.wallMs;
      await store.revoke('a', now + 10, now + 5000);
      await store.revoke('a', now, now + 1000);
      clock.advance(2000);
      expect(await store.revokedAt(['a'])).toEqual([now + 10]);
    });
  });
}
