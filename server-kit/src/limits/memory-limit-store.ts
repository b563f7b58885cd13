import type { Clock } from '../clock.ts';
import { type AskDecision, decideAsk } from './decide-ask.ts';
import { type Charge, holdForMs, type LimitAnswer, type LimitAsk, type LimitStore } from './limit-store.ts';
import { RateBook } from './rate-book.ts';

interface Quota {
  settled: number;
  reserved: number;
  endsAtMs: number;
}

const empty = { settled: 0, reserved: 0 };

interface Hold {
  state: 'open' | 'expired' | 'settled';
  untilMs: number;
  reserved: Map<string, number>;
  gauges: string[];
}

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
  #ended = new Map<string, Hold>();
  #endedBefore = new Map<string, Hold>();
  #turnedAt = Number.NEGATIVE_INFINITY;
  /** Before this no open hold runs out. */
  #nextEndAt = Number.NEGATIVE_INFINITY;
  #sweptAt = Number.NEGATIVE_INFINITY;

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
    const hold = this.#open.get(holdId) ?? this.#ended.get(holdId) ?? this.#endedBefore.get(holdId);
    if (hold?.state === 'settled' || (!hold && charges.length === 0)) return;
    if (hold?.state === 'open') this.#release(holdId, hold);
    for (const { key, amount, endsAtMs } of charges) this.#quota(key, endsAtMs).settled += amount;
    this.#remember(holdId, hold, 'settled');
  }

  renew(holdIds: readonly string[]): void {
    this.#expire();
    for (const id of holdIds) {
      const hold = this.#open.get(id);
      if (!hold) continue;
      this.#open.delete(id);
      hold.untilMs = this.#clock.now() + holdForMs;
      this.#open.set(id, hold);
    }
  }

  #decide(ask: LimitAsk, takes: boolean): LimitAnswer {
    this.#expire();
    const now = this.#clock.now();
    const decision = decideAsk(
      ask,
      {
        tat: (line) => this.#rates.tat(line, now),
        quota: (key) => this.#quotas.get(key) ?? empty,
        held: (key) => this.#gauges.get(key) ?? 0,
      },
      now,
      takes,
    );
    if (takes && decision.answer.allowed) this.#take(ask, decision, now);
    return decision.answer;
  }

  #take(ask: LimitAsk, { tats, amounts }: AskDecision, now: number): void {
    ask.rates.forEach((line, at) => {
      if (!line.looks) this.#rates.keep(line, tats[at] as number, now);
    });
    if (ask.quotas.length === 0 && ask.gauges.length === 0) return;
    if (ask.holdId === undefined) {
      ask.quotas.forEach(({ key, endsAtMs }, at) => {
        this.#quota(key, endsAtMs).settled += amounts[at] as number;
      });
      return;
    }
    const hold: Hold = this.#open.get(ask.holdId) ?? {
      state: 'open',
      untilMs: 0,
      reserved: new Map(),
      gauges: [],
    };
    this.#open.delete(ask.holdId);
    hold.untilMs = now + holdForMs;
    this.#open.set(ask.holdId, hold);
    ask.quotas.forEach(({ key, endsAtMs }, at) => {
      const amount = amounts[at] as number;
      this.#quota(key, endsAtMs).reserved += amount;
      hold.reserved.set(key, (hold.reserved.get(key) ?? 0) + amount);
    });
    for (const { key } of ask.gauges) {
      this.#gauges.set(key, (this.#gauges.get(key) ?? 0) + 1);
      hold.gauges.push(key);
    }
  }

  #quota(key: string, endsAtMs: number): Quota {
    const known = this.#quotas.get(key) ?? { settled: 0, reserved: 0, endsAtMs };
    this.#quotas.set(key, known);
    return known;
  }

  #release(holdId: string, hold: Hold): void {
    this.#open.delete(holdId);
    for (const [key, amount] of hold.reserved) {
      const quota = this.#quotas.get(key);
      if (quota) quota.reserved -= amount;
    }
    for (const key of hold.gauges) {
      const left = (this.#gauges.get(key) ?? 1) - 1;
      if (left > 0) this.#gauges.set(key, left);
      else this.#gauges.delete(key);
    }
  }

  #remember(holdId: string, hold: Hold | undefined, state: Hold['state']): void {
    const ended = hold ?? { state, untilMs: 0, reserved: new Map(), gauges: [] };
    ended.state = state;
    this.#ended.set(holdId, ended);
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
      this.#remember(id, hold, 'expired');
    }
  }

  #expire(): void {
    const now = this.#clock.now();
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
