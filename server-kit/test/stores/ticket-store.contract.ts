import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TicketRecord, TicketStore } from '../../src/index.ts';
import type { SetClock } from '../harness.ts';

const record = (id: string): TicketRecord => ({
  principal: { id, roles: ['user'], tenant: 'acme', models: ['llama3*'], expiresAtMs: 1_900_000_000_000 },
  origin: 'https://app.example',
  sealedCredential: 'c2VhbGVk',
  issuedAtMs: 1_800_000_000_000,
});

/** What every store of tickets must do. */
export function ticketStoreContract(
  name: string,
  open: () => Promise<{ store: TicketStore; clock: SetClock; close(): Promise<void> | void }>,
): void {
  describe(`tickets in ${name}`, () => {
    let store: TicketStore;
    let clock: SetClock;
    let close: () => Promise<void> | void;
    beforeEach(async () => {
      ({ store, clock, close } = await open());
    });
    afterEach(() => close());

    test('gives back what was put, once', async () => {
      await store.put('a', record('ada'), 30_000);
      await store.put('b', { ...record('bob'), origin: null, sealedCredential: null }, 30_000);
      expect(await store.take('a')).toEqual(record('ada'));
      expect(await store.take('a')).toBeUndefined();
      expect(await store.take('b')).toEqual({ ...record('bob'), origin: null, sealedCredential: null });
      expect(await store.take('never')).toBeUndefined();
    });

    test('of fifty that take one at once, one gets it', async () => {
      await store.put('a', record('ada'), 30_000);
      const taken = await Promise.all(Array.from({ length: 50 }, () => store.take('a')));
      expect(taken.filter((one) => one !== undefined)).toEqual([record('ada')]);
    });

    test('forgets it at its end and not before', async () => {
      await store.put('early', record('ada'), 30_000);
      await store.put('late', record('ada'), 30_000);
      clock.advance(29_999);
      expect(await store.take('early')).toEqual(record('ada'));
      clock.advance(1);
      expect(await store.take('late')).toBeUndefined();
      await store.put('next', record('ada'), 30_000);
      expect(await store.take('late')).toBeUndefined();
      expect(await store.take('next')).toEqual(record('ada'));
    });
  });
}
