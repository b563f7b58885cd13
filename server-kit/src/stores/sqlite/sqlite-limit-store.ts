import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../clock.ts';
import { type AskDecision, decideAsk } from '../../limits/decide-ask.ts';
import {
  type Charge,
  holdForMs,
  type LimitAnswer,
  type LimitAsk,
  type LimitStore,
} from '../../limits/limit-store.ts';
import { atomically } from './open-database.ts';

const schema = `CREATE TABLE IF NOT EXISTS ziggie_rates (key TEXT PRIMARY KEY, tat REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ziggie_quotas (
  key TEXT PRIMARY KEY, settled INTEGER NOT NULL, reserved INTEGER NOT NULL, ends INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ziggie_holds (id TEXT PRIMARY KEY, state TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ziggie_holds_until ON ziggie_holds (until);
CREATE TABLE IF NOT EXISTS ziggie_held (hold TEXT NOT NULL, key TEXT NOT NULL, amount INTEGER);
CREATE INDEX IF NOT EXISTS ziggie_held_hold ON ziggie_held (hold);
CREATE INDEX IF NOT EXISTS ziggie_held_key ON ziggie_held (key) WHERE amount IS NULL;`;

/** How long an ended hold is remembered, and a window after its end, in ms. */
const rememberMs = 600_000;
const keepWindowMs = 3_600_000;
const sweepEveryMs = 60_000;

/**
 * Limits in SQLite: they outlive the process, and processes on one machine can share the file. A line in `ziggie_held`
 * without an amount is a place of a gauge.
 */
export class SqliteLimitStore implements LimitStore {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  readonly #sql;
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(database: DatabaseSync, clock: Clock) {
    database.exec(schema);
    this.#database = database;
    this.#clock = clock;
    const sql = (text: string) => database.prepare(text);
    this.#sql = {
      tat: sql('SELECT tat FROM ziggie_rates WHERE key = ?'),
      keepTat: sql(
        'INSERT INTO ziggie_rates VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET tat = excluded.tat',
      ),
      quota: sql('SELECT settled, reserved FROM ziggie_quotas WHERE key = ?'),
      addQuota: sql(`INSERT INTO ziggie_quotas VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE
        SET settled = settled + excluded.settled, reserved = reserved + excluded.reserved`),
      held: sql('SELECT count(*) AS held FROM ziggie_held WHERE key = ? AND amount IS NULL'),
      hold: sql('SELECT state FROM ziggie_holds WHERE id = ?'),
      keepHold: sql(`INSERT INTO ziggie_holds VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE
        SET state = excluded.state, until = excluded.until`),
      renew: sql("UPDATE ziggie_holds SET until = ? WHERE id = ? AND state = 'open'"),
      addHeld: sql('INSERT INTO ziggie_held VALUES (?, ?, ?)'),
      giveBack: sql(`UPDATE ziggie_quotas SET reserved = reserved - (
          SELECT sum(amount) FROM ziggie_held WHERE hold = ?1 AND ziggie_held.key = ziggie_quotas.key AND amount IS NOT NULL
        ) WHERE key IN (SELECT key FROM ziggie_held WHERE hold = ?1 AND amount IS NOT NULL)`),
      dropHeld: sql('DELETE FROM ziggie_held WHERE hold = ?'),
      runOut: sql("SELECT id FROM ziggie_holds WHERE until <= ? AND state = 'open' LIMIT 100"),
      forgetHolds: sql("DELETE FROM ziggie_holds WHERE until <= ? AND state <> 'open'"),
      forgetQuotas: sql('DELETE FROM ziggie_quotas WHERE ends <= ? AND reserved = 0'),
      forgetRates: sql('DELETE FROM ziggie_rates WHERE tat <= ?'),
    };
  }

  take(ask: LimitAsk): LimitAnswer {
    return this.#decide(ask, true);
  }

  look(ask: LimitAsk): LimitAnswer {
    return this.#decide(ask, false);
  }

  settle(holdId: string, charges: readonly Charge[]): void {
    const now = this.#clock.wallNow();
    atomically(this.#database, () => {
      const state = this.#sql.hold.get(holdId)?.['state'];
      if (state === 'settled' || (state === undefined && charges.length === 0)) return;
      this.#release(holdId, 'settled', now);
      for (const { key, amount, endsAtMs } of charges) this.#sql.addQuota.run(key, amount, 0, endsAtMs);
    });
  }

  renew(holdIds: readonly string[]): void {
    const untilMs = this.#clock.wallNow() + holdForMs;
    atomically(this.#database, () => {
      this.#expire();
      for (const id of holdIds) this.#sql.renew.run(untilMs, id);
    });
  }

  #decide(ask: LimitAsk, takes: boolean): LimitAnswer {
    return atomically(this.#database, () => {
      this.#expire();
      const now = this.#clock.wallNow();
      const decision = decideAsk(
        ask,
        {
          tat: ({ key }) => this.#sql.tat.get(key)?.['tat'] as number | undefined,
          quota: (key) => {
            const row = this.#sql.quota.get(key);
            return row ? { settled: row['settled'] as number, reserved: row['reserved'] as number } : nothing;
          },
          held: (key) => this.#sql.held.get(key)?.['held'] as number,
        },
        now,
        takes,
      );
      if (takes && decision.answer.allowed) this.#take(ask, decision, now);
      return decision.answer;
    });
  }

  #take(ask: LimitAsk, { tats, amounts }: AskDecision, now: number): void {
    ask.rates.forEach(({ key, looks }, at) => {
      if (!looks) this.#sql.keepTat.run(key, tats[at] as number);
    });
    const { holdId } = ask;
    if (holdId !== undefined && ask.quotas.length + ask.gauges.length > 0) {
      this.#sql.keepHold.run(holdId, 'open', now + holdForMs);
    }
    ask.quotas.forEach(({ key, endsAtMs }, at) => {
      const amount = amounts[at] as number;
      this.#sql.addQuota.run(
        key,
        holdId === undefined ? amount : 0,
        holdId === undefined ? 0 : amount,
        endsAtMs,
      );
      if (holdId !== undefined) this.#sql.addHeld.run(holdId, key, amount);
    });
    for (const { key } of ask.gauges) this.#sql.addHeld.run(holdId as string, key, null);
  }

  #release(holdId: string, state: 'settled' | 'expired', now: number): void {
    this.#sql.giveBack.run(holdId);
    this.#sql.dropHeld.run(holdId);
    this.#sql.keepHold.run(holdId, state, now + rememberMs);
  }

  #expire(): void {
    const now = this.#clock.wallNow();
    for (const { id } of this.#sql.runOut.all(now)) this.#release(id as string, 'expired', now);
    if (now - this.#sweptAt < sweepEveryMs) return;
    this.#sweptAt = now;
    this.#sql.forgetHolds.run(now);
    this.#sql.forgetQuotas.run(now - keepWindowMs);
    this.#sql.forgetRates.run(now);
  }
}

const nothing = { settled: 0, reserved: 0 };
