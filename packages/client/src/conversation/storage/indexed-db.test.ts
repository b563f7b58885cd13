import { expect, it } from 'vitest';
import { fullRecord } from '../../../test/conversation/storage.contract.ts';
import { createIndexedDb } from './indexed-db.ts';

it('createIndexedDb() can be made where there is no IndexedDB, and says so when it is used', async () => {
  const storage = createIndexedDb({ namespace: 'app' });
  const expected = { code: 'storage_unavailable' };
  await expect(storage.load('one')).rejects.toMatchObject(expected);
  await expect(storage.save(fullRecord('one'))).rejects.toMatchObject(expected);
  await expect(storage.remove('one')).rejects.toMatchObject(expected);
  await expect(storage.list()).rejects.toMatchObject(expected);
  expect(() => createIndexedDb({ namespace: '' })).toThrow(TypeError);
});
