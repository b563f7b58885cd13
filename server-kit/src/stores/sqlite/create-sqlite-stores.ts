import { type Clock, systemClock } from '../../clock.ts';
import { openDatabase } from './open-database.ts';
import { SqliteKeyStore } from './sqlite-key-store.ts';
import { SqliteLimitStore } from './sqlite-limit-store.ts';
import { SqliteRevocationStore } from './sqlite-revocation-store.ts';
import { SqliteStreamStore } from './sqlite-stream-store.ts';
import { SqliteTicketStore } from './sqlite-ticket-store.ts';

/** Where the SQLite stores are. */
export interface SqliteStoresOptions {
  /** The file, made with its folder when it is not there; `:memory:` for one that is gone with the process. */
  path: string;
  /**
   * Whether answers are kept there, too, while they are written and for a while after: then a reader goes on in another process
   * of this machine, or after a restart. Their texts are in the file for that time. Default false: each process has its own in
   * its memory.
   */
  streams?: boolean | undefined;
  clock?: Clock | undefined;
}

/** Stores of a kit in one file. */
export interface SqliteStores {
  keys: SqliteKeyStore;
  limits: SqliteLimitStore;
  revocations: SqliteRevocationStore;
  tickets: SqliteTicketStore;
  streams?: SqliteStreamStore;
}

/**
 * Keeps keys, limits, revocations and tickets of sockets, and answers if that is asked for, in one SQLite file, through Node's own `node:sqlite`. Processes on one machine may
 * share it.
 *
 * @returns The stores, to be given as `stores`, and how to close the file after the kit is closed.
 * @throws {Error} when the file cannot be opened.
 *
 * @example
 * const { stores, close } = createSqliteStores({ path: 'data/ziggie.db' });
 * const kit = createServerKit({ upstreams, auth, stores });
 */
export function createSqliteStores({ path, streams = false, clock = systemClock }: SqliteStoresOptions): {
  stores: SqliteStores;
  close: () => void;
} {
  const database = openDatabase(path);
  const streamStore = streams ? new SqliteStreamStore(database, clock) : undefined;
  return {
    stores: {
      keys: new SqliteKeyStore(database),
      limits: new SqliteLimitStore(database, clock),
      revocations: new SqliteRevocationStore(database, () => clock.wallNow()),
      tickets: new SqliteTicketStore(database, () => clock.wallNow()),
      ...(streamStore ? { streams: streamStore } : {}),
    },
    close: () => {
      streamStore?.close();
      database.close();
    },
  };
}
