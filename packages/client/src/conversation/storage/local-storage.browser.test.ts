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

it('a save that another process wrote over without having read it is put together with what is there', async () => {
  const storage = createLocalStorage({ namespace: 'over' });
  const heard: unknown[] = [];
  const leave = storage.watch?.((change) => heard.push(change));
  const frame = document.body.appendChild(document.createElement('iframe'));
  const elsewhere = frame.contentWindow?.localStorage as Storage;
  const base = fullRecord('one');
  const message = (id: string) =>
    ({
      id,
      parentId: 'constructor',
      role: 'user',
      text: id,
      thinking: '',
      toolCalls: [],
      createdAt: 20,
    }) as const;
  const withMessage = (id: string) => ({ ...base, nodes: [...base.nodes, message(id)] });
  await storage.save(withMessage('ours'));
  elsewhere.setItem('ziggie:over:one', JSON.stringify(withMessage('theirs')));
  const ids = async () => (await storage.load('one'))?.nodes.map(({ id }) => id);
  await expect.poll(ids).toEqual(expect.arrayContaining(['ours', 'theirs']));
  // Whoever watches reads again: this is none of its own saves.
  expect(heard).toContainEqual({ kind: 'saved', id: 'one' });

  // What holds both is left as it is, word for word.
  const text = JSON.stringify(await storage.load('one'), null, 1);
  elsewhere.setItem('ziggie:over:one', text);
  await expect.poll(() => localStorage.getItem('ziggie:over:one')).toBe(text);
  elsewhere.removeItem('ziggie:over:one');
  await expect.poll(() => heard.at(-1)).toEqual({ kind: 'removed', id: 'one' });
  expect(await storage.load('one')).toBeNull();
  leave?.();
  frame.remove();
});

it('createLocalStorage() rejects when the browser has no room, and what was there stays', async () => {
  const storage = createLocalStorage({ namespace: 'full' });
  await storage.save(fullRecord('one'));
  const huge = { ...fullRecord('one'), title: 'x'.repeat(12 * 1024 * 1024) };
  await expect(storage.save(huge)).rejects.toMatchObject({ code: 'storage_full' });
  expect(await storage.load('one')).toEqual(fullRecord('one'));
});
