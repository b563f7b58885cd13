import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { KeyRecord, KeyStore } from '../../keys/key-store.ts';
import { atomically } from './open-database.ts';

const schema = `CREATE TABLE IF NOT EXISTS ziggie_keys (
  id TEXT PRIMARY KEY,
  owner_id TEXT NOT NULL,
  last_used_at INTEGER,
  record TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ziggie_keys_owner ON ziggie_keys (owner_id, id);`;

/** API keys in SQLite. */
export class SqliteKeyStore implements KeyStore {
  readonly #database: DatabaseSync;
  readonly #get: StatementSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #touch: StatementSync;
  readonly #all: StatementSync;
  readonly #owned: StatementSync;

  constructor(database: DatabaseSync) {
    database.exec(schema);
    this.#database = database;
    const select = 'SELECT record, last_used_at FROM ziggie_keys WHERE';
    this.#get = database.prepare(`${select} id = ?`);
    this.#all = database.prepare(`${select} id > ? ORDER BY id LIMIT ?`);
    this.#owned = database.prepare(`${select} owner_id = ? AND id > ? ORDER BY id LIMIT ?`);
    this.#insert = database.prepare('INSERT INTO ziggie_keys (id, owner_id, record) VALUES (?, ?, ?)');
    this.#update = database.prepare('UPDATE ziggie_keys SET record = ? WHERE id = ?');
    this.#touch = database.prepare(
      'UPDATE ziggie_keys SET last_used_at = max(?, coalesce(last_used_at, 0)) WHERE id = ?',
    );
  }

  async get(id: string): Promise<KeyRecord | undefined> {
    return this.#read(id);
  }

  async insert(record: KeyRecord): Promise<void> {
    this.#insert.run(record.id, record.ownerId, JSON.stringify(record));
  }

  async update(
    id: string,
    ownerId: string | undefined,
    changes: Partial<KeyRecord>,
  ): Promise<KeyRecord | undefined> {
    return atomically(this.#database, () => {
      const known = this.#read(id);
      if (!known || (ownerId !== undefined && known.ownerId !== ownerId)) return undefined;
      const changed = { ...known, ...changes };
      this.#update.run(JSON.stringify(changed), id);
      return changed;
    });
  }

  async list(ownerId: string | undefined, after: string, limit: number): Promise<readonly KeyRecord[]> {
    const rows = ownerId === undefined ? this.#all.all(after, limit) : this.#owned.all(ownerId, after, limit);
    return rows.map(recordOf);
  }

  async touch(lastUsed: ReadonlyMap<string, number>): Promise<void> {
    atomically(this.#database, () => {
      for (const [id, atMs] of lastUsed) this.#touch.run(atMs, id);
    });
  }

  #read(id: string): KeyRecord | undefined {
    const row = this.#get.get(id);
    return row && recordOf(row);
  }
}

function recordOf(row: Record<string, SQLOutputValue>): KeyRecord {
  const record = JSON.parse(row['record'] as string) as KeyRecord;
  return { ...record, lastUsedAtMs: row['last_used_at'] as number | null };
}
