import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CacheBounds, CacheKey, CacheStore } from '../../src/index.ts';

const bounds: CacheBounds = { ttlMs: 60_000, maxEntries: 100, maxBytes: 1024 * 1024 };
const key = (digest: string, tenant = 'acme', model = 'llama'): CacheKey => ({ tenant, model, digest });

/** What every store of answers must do. `pass` lets so many ms pass. */
export function cacheStoreContract(
  name: string,
  open: () => Promise<{
    store: CacheStore;
    pass: (ms: number) => Promise<void>;
    close(): Promise<void> | void;
  }>,
): void {
  describe(`answers in ${name}`, () => {
    let store: CacheStore;
    let pass: (ms: number) => Promise<void>;
    let close: () => Promise<void> | void;
    beforeEach(async () => {
      ({ store, pass, close } = await open());
    });
    afterEach(() => close());

    const put = async (at: CacheKey, text: string, within = bounds) => {
      const { ticket } = await store.find(at);
      await store.put(at, text, ticket, within);
    };
    const textAt = async (at: CacheKey) => (await store.find(at)).text;

    test('gives back what was put, byte for byte, and nothing else', async () => {
      const text = 'ünï 😀 "\\\u0000\u2028\n';
      expect(await textAt(key('a'))).toBeUndefined();
      await put(key('a'), text);
      expect(await textAt(key('a'))).toBe(text);
      expect(await textAt(key('b'))).toBeUndefined();
      await put(key('a'), 'newer');
      expect(await textAt(key('a'))).toBe('newer');
      await store.drop(key('a'));
      await store.drop(key('a'));
      expect(await textAt(key('a'))).toBeUndefined();
      expect(await store.size()).toEqual({ entries: 0, bytes: 0 });
    });

    test('forgets it at the end of its time', async () => {
      await put(key('short'), 'short', { ...bounds, ttlMs: 20 });
      await put(key('long'), 'long');
      await pass(25);
      expect(await textAt(key('short'))).toBeUndefined();
      expect(await textAt(key('long'))).toBe('long');
      await put(key('next'), 'next');
      expect((await store.size()).entries).toBe(2);
    });

    test('never has more than it may, and lets the oldest go first', async () => {
      const three = { ...bounds, maxEntries: 3 };
      for (const digest of ['a', 'b', 'c', 'd']) {
        await put(key(digest), digest, three);
        await pass(2);
      }
      expect(await Promise.all(['a', 'b', 'c', 'd'].map((digest) => textAt(key(digest))))).toEqual([
        undefined,
        'b',
        'c',
        'd',
      ]);
      const long = 'x'.repeat(1000);
      const small = { ...bounds, maxBytes: 5000 };
      for (const digest of ['e', 'f', 'g']) {
        await put(key(digest), long, small);
        await pass(2);
      }
      const { entries, bytes } = await store.size();
      expect({ entries, fits: bytes <= 5000 }).toEqual({ entries: 2, fits: true });
      expect(await textAt(key('g'))).toBe(long);
      // One that never fits takes nobody's place.
      await put(key('h'), 'x'.repeat(2400), small);
      expect(await textAt(key('h'))).toBeUndefined();
      expect((await store.size()).entries).toBe(2);
    });

    test('stays within its bounds whoever puts at once', async () => {
      const few = { ...bounds, maxEntries: 10 };
      await Promise.all(Array.from({ length: 60 }, (_, at) => put(key(`k${at}`), `text ${at}`, few)));
      expect((await store.size()).entries).toBe(10);
    });

    test('throws away by tenant, by model, by both, and everything', async () => {
      const all = ['acme', 'umbrella'].flatMap((tenant) =>
        ['llama', 'qwen'].map((model) => key(`${tenant}-${model}`, tenant, model)),
      );
      const fill = async () => {
        for (const one of all) await put(one, one.digest);
      };
      const left = async () => {
        const texts = await Promise.all(all.map(textAt));
        return texts.filter((text) => text !== undefined);
      };
      await fill();
      expect(await store.purge({ tenant: 'acme', model: 'llama' })).toBe(1);
      expect(await left()).toEqual(['acme-qwen', 'umbrella-llama', 'umbrella-qwen']);
      expect(await store.purge({ tenant: 'umbrella' })).toBe(2);
      expect(await left()).toEqual(['acme-qwen']);
      await fill();
      expect(await store.purge({ model: 'qwen' })).toBe(2);
      expect(await left()).toEqual(['acme-llama', 'umbrella-llama']);
      expect(await store.purge({})).toBe(2);
      expect(await store.size()).toEqual({ entries: 0, bytes: 0 });
    });

    test('throws away more than a page, and keeps the rest', async () => {
      const many = { ...bounds, maxEntries: 5000 };
      for (let at = 0; at < 1200; at++) await put(key(`d${at}`, at % 2 ? 'acme' : 'umbrella'), 'x', many);
      expect(await store.purge({ tenant: 'acme' })).toBe(600);
      expect((await store.size()).entries).toBe(600);
    });

    test('does not keep what was on its way when everything was thrown away', async () => {
      const { ticket } = await store.find(key('a'));
      await store.purge({ model: 'another' });
      await store.put(key('a'), 'old', ticket, bounds);
      expect(await textAt(key('a'))).toBeUndefined();
      await put(key('a'), 'new');
      expect(await textAt(key('a'))).toBe('new');
    });
  });
}
