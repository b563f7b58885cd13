import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { RevocationStore } from '../../auth/revocation-store.ts';

const schema = `CREATE TABLE IF NOT EXISTS ziggie_revocations (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ziggie_revocations_until ON ziggie_revocations (until);`;

/** Revocations in SQLite. */
export class SqliteRevocationStore implements RevocationStore {
  readonly #now: () => number;
  readonly #write: StatementSync;
  readonly #sweep: StatementSync;
  readonly #read: StatementSync;

  constructor(database: DatabaseSync, now: () => number) {
    database.exec(schema);
    this.#now = now;
    this.#write = database.prepare(
      `INSERT INTO ziggie_revocations (id, at, until) VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET at = max(at, excluded.at), until = max(until, excluded.until)`,
    );
    this.#sweep = database.prepare('DELETE FROM ziggie_revocations WHERE until <= ?');
    this.#read = database.prepare('SELECT at FROM ziggie_revocations WHERE id = ? AND until > ?');
  }

  async revoke(id: string, atMs: number, untilMs: number): Promise<void> {
    this.#sweep.run(this.#now());
    this.#write.run(id, atMs, untilMs);
  }

  async revokedAt(ids: readonly string[]): Promise<readonly (number | undefined)[]> {
    return ids.map((id) => this.#read.get(id, this.#now())?.['at'] as number | undefined);
  }
}
