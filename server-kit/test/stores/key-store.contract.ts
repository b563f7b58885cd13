import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KeyRecord, KeyStore } from '../../src/index.ts';

const record = (id: string, more: Partial<KeyRecord> = {}): KeyRecord => ({
  id,
  environment: 'live',
  ownerId: 'ada',
  tenant: null,
  name: 'a "name" with \'quotes\', é and \u0000',
  roles: ['user'],
  scopes: [],
  models: null,
  hash: 'hash',
  previousHash: null,
  previousUntilMs: null,
  createdAtMs: 1_893_456_000_123,
  expiresAtMs: 1_901_232_000_123,
  revokedAtMs: null,
  lastUsedAtMs: null,
  ...more,
});

/** What every store of API keys must do. */
export function keyStoreContract(
  name: string,
  open: () => Promise<{ store: KeyStore; close(): Promise<void> | void }>,
): void {
  describe(`keys in ${name}`, () => {
    let store: KeyStore;
    let close: () => Promise<void> | void;
    beforeEach(async () => {
      ({ store, close } = await open());
    });
    afterEach(() => close());

    test('gives back what was put in, to the letter', async () => {
      const full = record('k1', {
        scopes: ['chat', 'me:read'],
        models: ['llama3*'],
        tenant: 'acme',
        revokedAtMs: 7,
      });
      await store.insert(full);
      await store.insert(record('k2'));
      expect(await store.get('k1')).toEqual(full);
      expect(await store.get('k2')).toEqual(record('k2'));
      expect(await store.get("k1' OR '1'='1")).toBeUndefined();
      expect(await store.get('')).toBeUndefined();
    });

    test('refuses an id twice and keeps the first', async () => {
      await store.insert(record('k1', { name: 'first' }));
      await expect(store.insert(record('k1', { name: 'second' }))).rejects.toThrow();
      expect((await store.get('k1'))?.name).toBe('first');
    });

    test('changes members, for the owner only when one is given', async () => {
      await store.insert(record('k1'));
      expect(await store.update('k1', 'grace', { revokedAtMs: 5 })).toBeUndefined();
      expect(await store.update('missing', undefined, { revokedAtMs: 5 })).toBeUndefined();
      expect((await store.get('k1'))?.revokedAtMs).toBeNull();
      expect(await store.update('k1', 'ada', { revokedAtMs: 5 })).toEqual(record('k1', { revokedAtMs: 5 }));
      const rerolled = { hash: 'new', previousHash: 'hash', previousUntilMs: 9 };
      await store.update('k1', undefined, rerolled);
      expect(await store.get('k1')).toEqual(record('k1', { revokedAtMs: 5, ...rerolled }));
    });

    test('many changes at once all count', async () => {
      await store.insert(record('k1'));
      await Promise.all([
        store.update('k1', undefined, { revokedAtMs: 5 }),
        store.update('k1', undefined, { previousHash: 'old' }),
        store.update('k1', undefined, { expiresAtMs: 6 }),
      ]);
      expect(await store.get('k1')).toMatchObject({ revokedAtMs: 5, previousHash: 'old', expiresAtMs: 6 });
    });

    test('lists by id, page by page, of everybody or of one owner', async () => {
      for (const id of ['k3', 'k1', 'K2', 'k2']) {
        await store.insert(record(id, { ownerId: id === 'k2' ? 'grace' : 'ada' }));
      }
      const ids = async (ownerId: string | undefined, after: string, limit: number) =>
        (await store.list(ownerId, after, limit)).map(({ id }) => id);
      expect(await ids(undefined, '', 10)).toEqual(['K2', 'k1', 'k2', 'k3']);
      expect(await ids(undefined, '', 2)).toEqual(['K2', 'k1']);
      expect(await ids(undefined, 'k1', 2)).toEqual(['k2', 'k3']);
      expect(await ids('ada', 'K2', 10)).toEqual(['k1', 'k3']);
      expect(await ids('nobody', '', 10)).toEqual([]);
    });

    test('notes the last use, never an earlier one, and not of keys that are not there', async () => {
      await store.insert(record('k1'));
      await store.touch(
        new Map([
          ['k1', 100],
          ['missing', 100],
        ]),
      );
      await store.touch(new Map([['k1', 50]]));
      await store.touch(new Map());
      expect((await store.get('k1'))?.lastUsedAtMs).toBe(100);
      expect((await store.list('ada', '', 1))[0]?.lastUsedAtMs).toBe(100);
      await store.update('k1', undefined, { revokedAtMs: 5 });
      expect((await store.get('k1'))?.lastUsedAtMs).toBe(100);
      expect(await store.get('missing')).toBeUndefined();
    });
  });
}
