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

it('createLocalStorage() rejects when the browser has no room, and what was there stays', async () => {
  const storage = createLocalStorage({ namespace: 'full' });
  await storage.save(fullRecord('one'));
  const huge = { ...fullRecord('one'), title: 'x'.repeat(12 * 1024 * 1024) };
  await expect(storage.save(huge)).rejects.toMatchObject({ code: 'storage_full' });
  expect(await storage.load('one')).toEqual(fullRecord('one'));
});
