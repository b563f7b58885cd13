import { ConversationStorageError } from '../storage-error.ts';

/** The database's shape; a higher number runs `upgrade` again. */
const DATABASE_VERSION = 1;

/**
 * How to get the open database: opened with the first call, shared by the next ones, and opened again when the browser
 * closed it (site data cleared, another tab upgrades).
 */
export function openDatabase(
  name: string,
  factory: () => IDBFactory | undefined,
  upgrade: (database: IDBDatabase) => void,
): () => Promise<IDBDatabase> {
  let opening: Promise<IDBDatabase> | null = null;
  const forget = (): void => {
    opening = null;
  };
  return () => {
    opening ??= open(name, factory, upgrade, forget).catch((error: unknown) => {
      forget();
      throw error;
    });
    return opening;
  };
}

async function open(
  name: string,
  factory: () => IDBFactory | undefined,
  upgrade: (database: IDBDatabase) => void,
  onClose: () => void,
): Promise<IDBDatabase> {
  try {
    const request = factory()?.open(name, DATABASE_VERSION);
    if (request === undefined) throw new Error('There is no indexedDB.');
    request.onupgradeneeded = () => upgrade(request.result);
    const database = await result(request);
    database.onclose = onClose;
    database.onversionchange = () => {
      database.close();
      onClose();
    };
    return database;
  } catch (cause) {
    throw new ConversationStorageError(
      'storage_unavailable',
      'Opening the browser database: there is no IndexedDB here, or the browser forbids it for this page.',
      { cause },
    );
  }
}

/** The result of a request. */
export function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The request failed.'));
  });
}

/**
 * Resolves once everything is written. Rejects with `storage_full` when there was no room; nothing was written then.
 *
 * @param refusal Why the transaction was given up on purpose, if it was.
 */
export function finished(transaction: IDBTransaction, refusal: () => unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(reasonOf(refusal() ?? transaction.error));
  });
}

function reasonOf(error: unknown): unknown {
  if ((error as DOMException | null)?.name !== 'QuotaExceededError') {
    return error ?? new Error('The transaction was aborted.');
  }
  return new ConversationStorageError(
    'storage_full',
    'Saving a conversation: the browser has no room for it. Remove other conversations.',
    { cause: error },
  );
}
