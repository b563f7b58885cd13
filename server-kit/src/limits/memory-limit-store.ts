import type { Clock } from '../clock.ts';
import { type AskDecision, decideAsk, type LimitView } from './decide-ask.ts';
import {
  type Charge,
  holdForMs,
  type LimitAnswer,
  type LimitAsk,
  type LimitStore,
  type QuotaLine,
  type RateLine,
} from './limit-store.ts';
import { RateBook } from './rate-book.ts';

interface Quota {
  settled: number;
  reserved: number;
  endsAtMs: number;
}

const empty = { settled: 0, reserved: 0 };

/** What an open hold has taken. */
interface Hold {
  untilMs: number;
  /** A key may stand more than once. */
  reserved: { key: string; amount: number }[];
  gauges: string[];
}

/** How a hold ended. Nothing else of it is remembered: most of what is kept for a minute is copied twice by the collector. */
type End = 'expired' | 'settled';

/** How long an ended hold is remembered, so that a second end is seen for what it is. */
const rememberMs = 60_000;
const maxEnded = 5_000;
/** How long a window is kept after its end, for holds that began in it. */
const keepWindowMs = 3_600_000;
const sweepEveryMs = 60_000;

/** Limits in the memory of this process: gone with it, and unknown to others. */
export class MemoryLimitStore implements LimitStore {
  readonly #clock: Clock;
  readonly #rates: RateBook;
  readonly #quotas = new Map<string, Quota>();
  readonly #gauges = new Map<string, number>();
  /** Open ones in the order in which they run out, since each gets the same time. */
  readonly #open = new Map<string, Hold>();
  /**
   * Ended ones of two stretches of time. Taken from one map one by one they would leave gaps at its beginning, which
   * every look at the oldest has to step over.
   */
  #ended = new Map<string, End>();
  #endedBefore = new Map<string, End>();
  #turnedAt = Number.NEGATIVE_INFINITY;
  /** Before this no open hold runs out. */
  #nextEndAt = Number.NEGATIVE_INFINITY;
  #sweptAt = Number.NEGATIVE_INFINITY;
  /** How things stand, as of the time that an ask is decided at: made once, not for every ask. */
  readonly #view: LimitView = {
    tat: (line) => this.#rates.tat(line, this.#viewedAt),
    quota: (key) => this.#quotas.get(key) ?? empty,
    held: (key) => this.#gauges.get(key) ?? 0,
  };
  #viewedAt = 0;

  /** @param capacity Rates per class that are kept at most. */
  constructor(clock: Clock, capacity = 100_000) {
    this.#clock = clock;
    this.#rates = new RateBook(capacity);
  }

  /** How much is kept, for tests of its bounds. */
  get size(): { rates: number; quotas: number; holds: number } {
    return {
      rates: this.#rates.size,
      quotas: this.#quotas.size,
      holds: this.#open.size + this.#ended.size + this.#endedBefore.size,
    };
  }

  take(ask: LimitAsk): LimitAnswer {
    return this.#decide(ask, true);
  }

  look(ask: LimitAsk): LimitAnswer {
    return this.#decide(ask, false);
  }

  settle(holdId: string, charges: readonly Charge[]): void {
    const hold = this.#open.get(holdId);
    if (hold) this.#release(holdId, hold);
    else {
      const end = this.#ended.get(holdId) ?? this.#endedBefore.get(holdId);
      if (end === 'settled' || (end === undefined && charges.length === 0)) return;
    }
    for (const { key, amount, endsAtMs } of charges) this.#quota(key, endsAtMs).settled += amount;
    this.#remember(holdId, 'settled');
  }

  renew(holdIds: readonly string[]): void {
    this.#expire(this.#clock.now());
    for (const id of holdIds) {
      const hold = this.#open.get(id);
      if (!hold) continue;
      this.#open.delete(id);
      hold.untilMs = this.#clock.now() + holdForMs;
      this.#open.set(id, hold);
    }
  }

  #decide(ask: LimitAsk, takes: boolean): LimitAnswer {
    const now = this.#clock.now();
    this.#expire(now);
    this.#viewedAt = now;
    const decision = decideAsk(ask, this.#view, now, takes);
    if (takes && decision.answer.allowed) this.#take(ask, decision, now);
    return decision.answer;
  }

  #take(ask: LimitAsk, { tats, amounts }: AskDecision, now: number): void {
    const { rates, quotas, gauges } = ask;
    for (let at = 0; at < rates.length; at++) {
      const line = rates[at] as RateLine;
      if (!line.looks) this.#rates.keep(line, tats[at] as number, now);
    }
    if (quotas.length === 0 && gauges.length === 0) return;
    if (ask.holdId === undefined) {
      for (let at = 0; at < quotas.length; at++) {
        const { key, endsAtMs } = quotas[at] as QuotaLine;
        this.#quota(key, endsAtMs).settled += amounts[at] as number;
      }
      return;
    }
    const hold = this.#hold(ask.holdId, now);
    for (let at = 0; at < quotas.length; at++) {
      const { key, endsAtMs } = quotas[at] as QuotaLine;
      const amount = amounts[at] as number;
      this.#quota(key, endsAtMs).reserved += amount;
      hold.reserved.push({ key, amount });
    }
    for (const { key } of gauges) {
      this.#gauges.set(key, (this.#gauges.get(key) ?? 0) + 1);
      hold.gauges.push(key);
    }
  }

  /** A hold with its whole time before it; the last of those that run out. */
  #hold(id: string, now: number): Hold {
    let hold = this.#open.get(id);
    // One that was made at this moment has its whole time, and nobody can stand behind it with more.
    if (hold?.untilMs === now + holdForMs) return hold;
    if (hold === undefined) hold = { untilMs: 0, reserved: [], gauges: [] };
    else this.#open.delete(id);
    hold.untilMs = now + holdForMs;
    this.#open.set(id, hold);
    return hold;
  }

  #quota(key: string, endsAtMs: number): Quota {
    let quota = this.#quotas.get(key);
    if (quota === undefined) {
      quota = { settled: 0, reserved: 0, endsAtMs };
      this.#quotas.set(key, quota);
    }
    return quota;
  }

  #release(holdId: string, hold: Hold): void {
    this.#open.delete(holdId);
    for (const { key, amount } of hold.reserved) {
      const quota = this.#quotas.get(key);
      if (quota) quota.reserved -= amount;
    }
    for (const key of hold.gauges) {
      const left = (this.#gauges.get(key) ?? 1) - 1;
      if (left > 0) this.#gauges.set(key, left);
      else this.#gauges.delete(key);
    }
  }

  #remember(holdId: string, end: End): void {
    this.#ended.set(holdId, end);
    if (this.#ended.size >= maxEnded) this.#turn(this.#clock.now());
  }

  #turn(now: number): void {
    this.#endedBefore = this.#ended;
    this.#ended = new Map();
    this.#turnedAt = now;
  }

  #expireOpen(now: number): void {
    this.#nextEndAt = now + holdForMs;
    for (const [id, hold] of this.#open) {
      if (hold.untilMs > now) {
        this.#nextEndAt = hold.untilMs;
        return;
      }
      this.#release(id, hold);
      this.#remember(id, 'expired');
    }
  }

  #expire(now: number): void {
    // None can have run out before the one that was the next to: then nothing has to be looked at.
    if (now >= this.#nextEndAt) this.#expireOpen(now);
    if (now - this.#turnedAt >= rememberMs) this.#turn(now);
    if (now - this.#sweptAt < sweepEveryMs) return;
    this.#sweptAt = now;
    const wallNow = this.#clock.wallNow();
    for (const [key, quota] of this.#quotas) {
      if (quota.reserved === 0 && quota.endsAtMs + keepWindowMs < wallNow) this.#quotas.delete(key);
    }
  }
}
