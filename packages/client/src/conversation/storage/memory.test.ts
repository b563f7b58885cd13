import { describeStorageContract } from '../../../test/conversation/storage.contract.ts';
import { createMemoryStorage } from './memory.ts';

describeStorageContract('createMemoryStorage()', () => ({ storage: createMemoryStorage() }));
