import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';

/** How long a write waits for one of another process, in ms. The event loop stands still meanwhile. */
const busyTimeoutMs = 50;

/**
 * Opens a database file, made with its folder when it is not there; `:memory:` for one that is gone with the process.
 *
 * @throws {Error} when the file cannot be opened.
 */
export function openDatabase(path: string): DatabaseSync {
  const { DatabaseSync: Database } = withoutWarning(() => process.getBuiltinModule('node:sqlite'));
  if (path !== ':memory:') mkdirSync(dirname(resolve(path)), { recursive: true });
  const database = new Database(path, { timeout: busyTimeoutMs });
  // Readers and one writer at a time; a crash of the machine may lose the last moments and never harms the file.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
  return database;
}

/** Node 22 warns that its SQLite is experimental, once per process, which says nothing to whoever runs this. */
function withoutWarning<T>(load: () => T): T {
  const emitWarning = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).includes('SQLite is an experimental feature')) {
      Reflect.apply(emitWarning, process, [warning, ...rest]);
    }
  }) as typeof process.emitWarning;
  try {
    return load();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Runs work as one step that nobody else's write comes into, and undoes all of it when it throws. */
export function atomically<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (thrown) {
    database.exec('ROLLBACK');
    throw thrown;
  }
}
