import { afterEach, expect, it } from 'vitest';
import { describeStorageContract, fullRecord } from '../../../test/conversation/storage.contract.ts';
import { createLocalStorage } from './local-storage.ts';

afterEach(() => {
  for (const key of Object.keys(localStorage)) if (key.startsWith('ziggie:')) localStorage.removeItem(key);
});

let opened = 0;
describeStorageContract('createLocalStorage() over the localStorage of a page', () => {
  const namespace = `test-${++opened}`;
  return {
    storage: createLocalStorage({ namespace }),
    damage: (id, text) => localStorage.setItem(`ziggie:${namespace}:${id}`, text),
    raw: (id) => localStorage.getItem(`ziggie:${namespace}:${id}`),
    again: () => createLocalStorage({ namespace }),
  };
});

it('a change that arrives after the word of it is heard of when it is there', async () => {
  // A frame writes what another process would have written: no channel tells of it, only the event of the browser.
  const storage = createLocalStorage({ namespace: 'late' });
  const frame = document.body.appendChild(document.createElement('iframe'));
  const heard: unknown[] = [];
  const leave = storage.watch?.(async (change) => {
    heard.push({ ...change, record: await storage.load(change.id) });
  });
  const elsewhere = frame.contentWindow?.localStorage as Storage;
  elsewhere.setItem('ziggie:late:one', JSON.stringify(fullRecord('one')));
  await expect.poll(() => heard).toEqual([{ kind: 'saved', id: 'one', record: fullRecord('one') }]);
  elsewhere.setItem('ziggie:other:one', '{}');
  elsewhere.removeItem('ziggie:late:one');
  await expect.poll(() => heard.slice(1)).toEqual([{ kind: 'removed', id: 'one', record: null }]);
  leave?.();
  elsewhere.setItem('ziggie:late:two', JSON.stringify(fullRecord('two')));
  await new Promise((resolve) => addEventListener('storage', resolve, { once: true }));
  expect(heard).toHaveLength(2);
  frame.remove();
});

it('createLocalStorage() rejects when the browser has no room, and what was there stays', async () => {
  const storage = createLocalStorage({ namespace: 'full' });
  await storage.save(fullRecord('one'));
  const huge = { ...fullRecord('one'), title: 'x'.repeat(12 * 1024 * 1024) };
  await expect(storage.save(huge)).rejects.toMatchObject({ code: 'storage_full' });
  expect(await storage.load('one')).toEqual(fullRecord('one'));
});
