import type { DatabaseSync } from 'node:sqlite';
import { isTerminal, type StreamEvent } from '@ziggie/llm-protocol';
import type { Clock } from '../../clock.ts';
import { pageEvents, storedEvent } from '../../streams/stored-event.ts';
import {
  type Claim,
  type StreamBounds,
  type StreamHead,
  type StreamPage,
  type StreamStore,
  type WriterNews,
  writerLifeMs,
} from '../../streams/stream-store.ts';
import { DatabaseNews } from './database-news.ts';
import { atomically } from './open-database.ts';

// Texts of answers are overwritten when they are deleted, and not only left out.
const schema = `PRAGMA secure_delete = ON;
CREATE TABLE IF NOT EXISTS ziggie_streams (
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, model TEXT NOT NULL, born REAL NOT NULL, first INTEGER NOT NULL,
  next INTEGER NOT NULL, bytes INTEGER NOT NULL, ended INTEGER NOT NULL, stop INTEGER NOT NULL,
  alive_until REAL NOT NULL, readers_until REAL NOT NULL, forget_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ziggie_streams_owner ON ziggie_streams (owner, born);
CREATE TABLE IF NOT EXISTS ziggie_stream_events (
  id TEXT NOT NULL, seq INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (id, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ziggie_stream_claims (
  key TEXT PRIMARY KEY, id TEXT NOT NULL, hash TEXT NOT NULL, ends REAL NOT NULL
) WITHOUT ROWID;`;

const pageBytes = 64 * 1024;
const sweepEveryMs = 60_000;

interface Row {
  owner: string;
  model: string;
  first: number;
  next: number;
  bytes: number;
  ended: number;
  stop: number;
  alive_until: number;
  readers_until: number;
}

interface Waiting {
  run: () => void;
  fail: (thrown: unknown) => void;
}

/**
 * Answers in SQLite: for processes that share a machine, and for readers who come back after a restart. What is added in one
 * turn of the event loop is written in one step. Other processes are noticed by looking, ten times a second while somebody reads.
 */
export class SqliteStreamStore implements StreamStore {
  readonly #database: DatabaseSync;
  readonly #now: () => number;
  readonly #news: DatabaseNews;
  readonly #sql;
  #waiting: Waiting[] = [];
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(database: DatabaseSync, clock: Clock) {
    database.exec(schema);
    this.#database = database;
    this.#now = () => clock.wallNow();
    const sql = (text: string) => database.prepare(text);
    this.#sql = {
      row: sql('SELECT * FROM ziggie_streams WHERE id = ? AND forget_at > ?'),
      add: sql('INSERT INTO ziggie_streams VALUES (?, ?, ?, ?, 0, 0, 0, 0, 0, ?, 0, ?)'),
      own: sql(`SELECT id, ended OR (next = 0 AND alive_until <= ?) AS is_over FROM ziggie_streams
        WHERE owner = ? ORDER BY born, id`),
      written:
        sql(`UPDATE ziggie_streams SET first = ?, next = ?, bytes = ?, ended = ?, alive_until = ?, forget_at = ?
        WHERE id = ?`),
      renew: sql('UPDATE ziggie_streams SET alive_until = ?, forget_at = ? WHERE id = ? AND ended = 0'),
      stop: sql('UPDATE ziggie_streams SET stop = 1 WHERE id = ?'),
      stopped: sql('SELECT id FROM ziggie_streams WHERE stop = 1 AND ended = 0 AND forget_at > ?'),
      present: sql('UPDATE ziggie_streams SET readers_until = max(readers_until, ?) WHERE id = ?'),
      drop: sql('DELETE FROM ziggie_streams WHERE id = ?'),
      event: sql('INSERT INTO ziggie_stream_events VALUES (?, ?, ?)'),
      events: sql(
        'SELECT seq, event FROM ziggie_stream_events WHERE id = ? AND seq >= ? ORDER BY seq LIMIT ?',
      ),
      sizeBefore: sql(
        'SELECT sum(length(event)) AS bytes FROM ziggie_stream_events WHERE id = ? AND seq < ?',
      ),
      dropBefore: sql('DELETE FROM ziggie_stream_events WHERE id = ? AND seq < ?'),
      dropEvents: sql('DELETE FROM ziggie_stream_events WHERE id = ?'),
      old: sql('SELECT id FROM ziggie_streams WHERE forget_at <= ?'),
      claim: sql('SELECT id, hash FROM ziggie_stream_claims WHERE key = ? AND ends > ?'),
      addClaim: sql('INSERT OR REPLACE INTO ziggie_stream_claims VALUES (?, ?, ?, ?)'),
      unclaim: sql('DELETE FROM ziggie_stream_claims WHERE key = ? AND id = ?'),
      oldClaims: sql('DELETE FROM ziggie_stream_claims WHERE ends <= ?'),
    };
    this.#news = new DatabaseNews(database, clock, () =>
      this.#sql.stopped.all(this.#now()).map(({ id }) => id as string),
    );
  }

  open(id: string, { ownerKey, model }: StreamHead, { keepMs, maxPerOwner }: StreamBounds): boolean {
    const now = this.#now();
    return atomically(this.#database, () => {
      if (this.#row(id)) return true;
      this.#sweep(now);
      this.#drop(id);
      const own = this.#sql.own.all(now, ownerKey);
      let count = own.length;
      for (const { id: other, is_over: isOver } of own) {
        if (count < maxPerOwner) break;
        if (isOver === 0 && this.#row(other as string)) continue;
        this.#drop(other as string);
        count--;
      }
      if (count >= maxPerOwner) return false;
      this.#sql.add.run(id, ownerKey, model, now, now + writerLifeMs, now + keepMs);
      return true;
    });
  }

  append(id: string, events: readonly StreamEvent[], bounds: StreamBounds): Promise<WriterNews> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.push({ run: () => resolve(this.#append(id, events, bounds)), fail: reject }) > 1)
        return;
      setImmediate(this.#write);
    });
  }

  renew(ids: readonly string[], { keepMs }: StreamBounds): readonly string[] {
    const now = this.#now();
    return atomically(this.#database, () =>
      ids.filter((id) => {
        const row = this.#row(id);
        if (row) this.#sql.renew.run(now + writerLifeMs, now + keepMs, id);
        return row !== undefined && row.ended === 0 && row.stop === 1;
      }),
    );
  }

  bury(id: string, last: StreamEvent, bounds: StreamBounds): void {
    atomically(this.#database, () => {
      const row = this.#row(id);
      if (!row || row.ended === 1 || row.alive_until > this.#now()) return;
      this.#append(id, [{ ...last, seq: row.next }], bounds);
    });
  }

  find(id: string): StreamHead | undefined {
    const row = this.#row(id);
    return row && { ownerKey: row.owner, model: row.model };
  }

  read(id: string, after: number, stayMs: number): StreamPage | undefined {
    const row = this.#row(id);
    const from = Math.max(0, after + 1);
    if (!row || from < row.first) return undefined;
    const now = this.#now();
    // Written only when it moves by much: a reader must not make every look a write.
    if (stayMs > 0 && row.readers_until < now + stayMs * 0.9) this.#sql.present.run(now + stayMs, id);
    const events: StreamEvent[] = [];
    let bytes = 0;
    for (const { event } of this.#sql.events.iterate(id, from, pageEvents)) {
      if (bytes > pageBytes) break;
      bytes += (event as string).length;
      events.push(storedEvent(event as string));
    }
    const writer = row.ended === 1 ? 'done' : row.alive_until > now ? 'alive' : 'gone';
    return { events, writer, next: row.next };
  }

  readersStayMs(id: string): number {
    return Math.max(0, (this.#row(id)?.readers_until ?? 0) - this.#now());
  }

  watch(id: string, onNews: () => void): () => void {
    return this.#news.watch(id, onNews);
  }

  stop(id: string): boolean {
    const row = this.#row(id);
    if (!row || row.ended === 1 || row.alive_until <= this.#now()) return false;
    this.#sql.stop.run(id);
    this.#news.tellStopped();
    return true;
  }

  onStop(listener: (id: string) => void): () => void {
    return this.#news.onStop(listener);
  }

  drop(id: string): void {
    atomically(this.#database, () => this.#drop(id));
    this.#news.tell(id);
  }

  claim(key: string, { id, bodyHash }: Claim, lifeMs: number): Claim | undefined {
    const now = this.#now();
    return atomically(this.#database, () => {
      const known = this.#sql.claim.get(key, now);
      if (known) return { id: known['id'] as string, bodyHash: known['hash'] as string };
      this.#sql.addClaim.run(key, id, bodyHash, now + lifeMs);
      return undefined;
    });
  }

  unclaim(key: string, id: string): void {
    this.#sql.unclaim.run(key, id);
  }

  /** Looks at nothing more. */
  close(): void {
    this.#news.close();
  }

  readonly #write = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      atomically(this.#database, () => {
        for (const { run } of waiting) run();
      });
    } catch (thrown) {
      for (const { fail } of waiting) fail(thrown);
    }
  };

  #append(id: string, events: readonly StreamEvent[], { keepMs, maxBytes }: StreamBounds): WriterNews {
    const row = this.#row(id);
    if (!row || row.ended === 1) return 'lost';
    let { first, next, bytes } = row;
    let ended = 0;
    let news: WriterNews = row.stop === 1 ? 'stop' : 'go';
    for (const event of events) {
      if (event.seq < next || ended === 1) continue;
      if (event.seq > next) {
        news = 'lost';
        break;
      }
      const text = JSON.stringify(event);
      this.#sql.event.run(id, event.seq, text);
      next++;
      bytes += text.length;
      if (isTerminal(event)) ended = 1;
    }
    while (bytes > maxBytes && next - first > 1) {
      // An eighth at once: what is over by one event would be over by the next one, too.
      first += Math.max(1, Math.floor((next - first) / 8));
      bytes -= (this.#sql.sizeBefore.get(id, first)?.['bytes'] as number | null) ?? 0;
      this.#sql.dropBefore.run(id, first);
    }
    const now = this.#now();
    this.#sql.written.run(first, next, bytes, ended, now + writerLifeMs, now + keepMs, id);
    this.#news.tell(id);
    return news;
  }

  #row(id: string): Row | undefined {
    return this.#sql.row.get(id, this.#now()) as unknown as Row | undefined;
  }

  #drop(id: string): void {
    this.#sql.drop.run(id);
    this.#sql.dropEvents.run(id);
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < sweepEveryMs) return;
    this.#sweptAt = now;
    for (const { id } of this.#sql.old.all(now)) this.#drop(id as string);
    this.#sql.oldClaims.run(now);
  }
}
