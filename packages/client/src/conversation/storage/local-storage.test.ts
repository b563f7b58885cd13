import { expect, it } from 'vitest';
import { describeStorageContract, fullRecord } from '../../../test/conversation/storage.contract.ts';
import { createTextArea } from '../../../test/conversation/text-area.ts';
import { createLocalStorage } from './local-storage.ts';

describeStorageContract('createLocalStorage() over an area in memory', () => {
  const area = createTextArea();
  return {
    storage: createLocalStorage({ namespace: 'app', area }),
    damage: (id, text) => area.setItem(`ziggie:app:${id}`, text),
    raw: (id) => area.getItem(`ziggie:app:${id}`),
    again: () => createLocalStorage({ namespace: 'app', area }),
  };
});

it('createLocalStorage() keeps namespaces apart, also one that looks like the beginning of another', async () => {
  const area = createTextArea();
  const outer = createLocalStorage({ namespace: 'app', area });
  const inner = createLocalStorage({ namespace: 'app:user', area });
  await outer.save(fullRecord('user:one'));
  await inner.save(fullRecord('one'));
  area.setItem('ziggie', 'of somebody else');
  expect(await outer.list()).toEqual(['user:one']);
  expect(await inner.list()).toEqual(['one']);
  await inner.remove('one');
  expect((await outer.load('user:one'))?.id).toBe('user:one');
});

it('createLocalStorage() rejects a save that finds no room and keeps the record before it', async () => {
  const area = createTextArea(3000);
  const storage = createLocalStorage({ namespace: 'app', area });
  await storage.save(fullRecord('one'));
  const huge = { ...fullRecord('one'), title: 'canary'.repeat(1000) };
  const failure = await storage.save(huge).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'storage_full', cause: { name: 'QuotaExceededError' } });
  expect(String(failure)).not.toContain('canary');
  expect(await storage.load('one')).toEqual(fullRecord('one'));
});

it('createLocalStorage() can be made where there is no localStorage, and says so when it is used', async () => {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'localStorage');
  for (const get of [
    () => undefined,
    () => {
      throw new DOMException('Denied.', 'SecurityError');
    },
  ]) {
    Object.defineProperty(globalThis, 'localStorage', { configurable: true, get });
    try {
      const storage = createLocalStorage({ namespace: 'app' });
      const expected = { code: 'storage_unavailable' };
      await expect(storage.load('one')).rejects.toMatchObject(expected);
      await expect(storage.save(fullRecord('one'))).rejects.toMatchObject(expected);
      await expect(storage.remove('one')).rejects.toMatchObject(expected);
      await expect(storage.list()).rejects.toMatchObject(expected);
    } finally {
      if (before) Object.defineProperty(globalThis, 'localStorage', before);
      else Reflect.deleteProperty(globalThis, 'localStorage');
    }
  }
});

it('createLocalStorage() refuses an empty or broken namespace at once', () => {
  for (const namespace of ['', '\ud800']) expect(() => createLocalStorage({ namespace })).toThrow(TypeError);
});
