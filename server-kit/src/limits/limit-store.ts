import type { Rate } from './gcra.ts';

/**
 * How long a hold lives without being renewed, in ms. A process that dies leaves its holds behind; after this they count
 * no more.
 */
export const holdForMs = 90_000;

/** A smoothed limit on requests. */
export interface RateLine {
  /** Begins with a class and a colon, `address:…`: classes do not take each other's room. */
  key: string;
  rate: Rate;
  /** Only looked at: refuses when nothing is left, takes nothing. */
  looks?: boolean | undefined;
}

/** A limit on an amount in one window of the calendar. Amounts are whole numbers of the smallest unit. */
export interface QuotaLine {
  /** Names the window too: a new window is a new key. */
  key: string;
  limit: number;
  /** What is taken whatever is granted. */
  fixed: number;
  /** What each granted unit takes. */
  perUnit: number;
  /** End of the window, in ms since 1970; the line may be forgotten some time after it. */
  endsAtMs: number;
}

/** A limit on what is held at one moment. */
export interface GaugeLine {
  key: string;
  limit: number;
}

/** What is asked of a store in one step. */
export interface LimitAsk {
  rates: readonly RateLine[];
  quotas: readonly QuotaLine[];
  gauges: readonly GaugeLine[];
  /** How many units are wanted, and how few are still of use. As many as fit every quota are granted. */
  units: number;
  leastUnits: number;
  /**
   * What quotas are reserved under and gauges are held under, until it is settled. One that exists already gets the lines
   * added. Without it quotas are charged at once, and there must be no gauges.
   */
  holdId: string | undefined;
}

/** How a rate stands. */
export interface RateState {
  fits: boolean;
  remaining: number;
  retryAfterMs: number;
  resetMs: number;
}

/** How a quota stands, after what was taken. */
export interface QuotaState {
  fits: boolean;
  settled: number;
  reserved: number;
}

/** How a gauge stands, after what was taken. */
export interface GaugeState {
  fits: boolean;
  held: number;
}

/** A store's answer, with one state per line in the order asked. When not allowed, nothing was taken of any line. */
export interface LimitAnswer {
  allowed: boolean;
  /** Units granted; 0 when not allowed. */
  units: number;
  rates: readonly RateState[];
  quotas: readonly QuotaState[];
  gauges: readonly GaugeState[];
}

/** What a hold really came to, per quota that it was reserved under. */
export interface Charge {
  key: string;
  amount: number;
  endsAtMs: number;
}

/**
 * Where limits are kept. Every call is one step: nobody else's call happens in the middle of it.
 *
 * A store may answer at once or with a promise. One that cannot say throws or rejects.
 */
export interface LimitStore {
  /** Takes of every line, or of none. */
  take(ask: LimitAsk): LimitAnswer | Promise<LimitAnswer>;
  /** How lines stand; nothing is taken. */
  look(ask: LimitAsk): LimitAnswer | Promise<LimitAnswer>;
  /**
   * Ends a hold: its reservations are given back, what it came to is charged, its gauges are let go. A second time does
   * nothing. For a hold that had run out, or that the store has lost, the charges still count.
   */
  settle(holdId: string, charges: readonly Charge[]): void | Promise<void>;
  /** Gives holds another {@link holdForMs}. One that had run out stays so. */
  renew(holdIds: readonly string[]): void | Promise<void>;
  /** Gives back what it holds. */
  close?(): Promise<void>;
}

/** The most units that a quota has room for, negative when not even `fixed` fits. */
export function unitsIn(line: QuotaLine, settled: number, reserved: number): number {
  const left = line.limit - settled - reserved - line.fixed;
  if (left < 0) return -1;
  return line.perUnit === 0 ? Number.POSITIVE_INFINITY : Math.floor(left / line.perUnit);
}
