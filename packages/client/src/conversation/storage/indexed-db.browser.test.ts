import { afterAll, expect, it } from 'vitest';
import { describeStorageContract, fullRecord } from '../../../test/conversation/storage.contract.ts';
import { createIndexedDb } from './indexed-db.ts';

const namespaces: string[] = [];
let opened = 0;
const fresh = (): string => {
  const namespace = `idb-${++opened}`;
  namespaces.push(namespace);
  return namespace;
};

afterAll(() => {
  for (const namespace of namespaces) indexedDB.deleteDatabase(`ziggie:${namespace}`);
});

/** Works on the records as somebody who does not know of us would. */
async function inRecords<T>(namespace: string, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  await createIndexedDb({ namespace }).list();
  const opening = indexedDB.open(`ziggie:${namespace}`);
  const database = await new Promise<IDBDatabase>((resolve) => {
    opening.onsuccess = () => resolve(opening.result);
  });
  const request = work(database.transaction('records', 'readwrite').objectStore('records'));
  await new Promise((resolve) => {
    request.onsuccess = resolve;
  });
  database.close();
  return request.result;
}

describeStorageContract('createIndexedDb() in a page', () => {
  const namespace = fresh();
  return {
    storage: createIndexedDb({ namespace }),
    async damage(id, text) {
      let value: unknown = text;
      try {
        value = JSON.parse(text);
      } catch {}
      await inRecords(namespace, (store) => store.put(value, id));
    },
    async raw(id) {
      const value: unknown = await inRecords(namespace, (store) => store.get(id));
      return typeof value === 'string' ? value : JSON.stringify(value);
    },
    again: () => createIndexedDb({ namespace }),
  };
});

it('createIndexedDb() saves side by side from two tabs lose nothing', async () => {
  const namespace = fresh();
  const tabs = [createIndexedDb({ namespace }), createIndexedDb({ namespace })];
  const base = fullRecord('one');
  await Promise.all(
    Array.from({ length: 40 }, (_, count) => {
      const node = { id: `n${count}`, parentId: 'constructor', role: 'user', text: `${count}` } as const;
      const nodes = [...base.nodes, { ...node, thinking: '', toolCalls: [], createdAt: 100 + count }];
      return tabs[count % 2]?.save({ ...base, nodes, updatedAt: 100 + count });
    }),
  );
  expect((await tabs[0]?.load('one'))?.nodes).toHaveLength(base.nodes.length + 40);
});

it('createIndexedDb() says storage_full when there is no room, and what was there stays', async () => {
  const namespace = fresh();
  const storage = createIndexedDb({ namespace });
  await storage.save(fullRecord('one'));
  // No test can fill the disk: the browser's own refusal is played back.
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = () => {
    throw new DOMException('Full.', 'QuotaExceededError');
  };
  try {
    const failure: unknown = await storage
      .save({ ...fullRecord('one'), title: 'canary' })
      .catch((error) => error);
    expect(failure).toMatchObject({ code: 'storage_full', cause: { name: 'QuotaExceededError' } });
    expect(String(failure)).not.toContain('canary');
  } finally {
    IDBObjectStore.prototype.put = put;
  }
  expect(await storage.load('one')).toEqual(fullRecord('one'));
});

it('createIndexedDb() opens again after the browser closed the database', async () => {
  const namespace = fresh();
  const storage = createIndexedDb({ namespace });
  await storage.save(fullRecord('one'));
  // Site data cleared from another tab: ours has to let go of the database first.
  await new Promise((resolve) => {
    indexedDB.deleteDatabase(`ziggie:${namespace}`).onsuccess = resolve;
  });
  expect(await storage.load('one')).toBeNull();
  await storage.save(fullRecord('one'));
  expect(await storage.list()).toEqual(['one']);
});

it('createIndexedDb() works in a frame and tells this page, as another tab would', async () => {
  const namespace = fresh();
  const storage = createIndexedDb({ namespace });
  const seen: string[] = [];
  const leave = storage.watch?.(({ kind, id }) => seen.push(`${kind} ${id}`));
  const frame = document.createElement('iframe');
  frame.src = 'about:blank';
  document.body.append(frame);
  const inside = frame.contentWindow as Window & typeof globalThis;
  const channel = new inside.BroadcastChannel(`ziggie:${namespace}:idb`);
  channel.postMessage({ kind: 'saved', id: 'theirs' });
  channel.postMessage({ kind: 'nonsense' });
  channel.postMessage(null);
  await expect.poll(() => seen).toEqual(['saved theirs']);
  channel.close();
  frame.remove();
  leave?.();
});
