import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type TicketRecord, type TicketStore, ticketRecordOf } from '../../ws/ticket-store.ts';

const schema = `CREATE TABLE IF NOT EXISTS ziggie_tickets (
  key TEXT PRIMARY KEY,
  record TEXT NOT NULL,
  until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ziggie_tickets_until ON ziggie_tickets (until);`;

/** Tickets in SQLite: one process may take what another has made. */
export class SqliteTicketStore implements TicketStore {
  readonly #now: () => number;
  readonly #write: StatementSync;
  readonly #sweep: StatementSync;
  readonly #take: StatementSync;

  constructor(database: DatabaseSync, now: () => number) {
    database.exec(schema);
    this.#now = now;
    this.#write = database.prepare('INSERT INTO ziggie_tickets (key, record, until) VALUES (?, ?, ?)');
    this.#sweep = database.prepare('DELETE FROM ziggie_tickets WHERE until <= ?');
    this.#take = database.prepare('DELETE FROM ziggie_tickets WHERE key = ? RETURNING record, until');
  }

  async put(key: string, record: TicketRecord, lifeMs: number): Promise<void> {
    const now = this.#now();
    this.#sweep.run(now);
    this.#write.run(key, JSON.stringify(record), now + lifeMs);
  }

  async take(key: string): Promise<TicketRecord | undefined> {
    const row = this.#take.get(key) as { record: string; until: number } | undefined;
    return row !== undefined && row.until > this.#now() ? ticketRecordOf(row.record) : undefined;
  }
}
