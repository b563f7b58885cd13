import { changeBetween, instantOf, localTime, offsetOf } from './zone.ts';

/** The windows that a quota can be for. */
export const windowUnits = ['minute', 'hour', 'day', 'month'] as const;

/** One of them. */
export type WindowUnit = (typeof windowUnits)[number];

/** A stretch of time from `startMs` up to and without `endMs`, in ms since 1970. */
export interface Window {
  startMs: number;
  endMs: number;
}

const minuteMs = 60_000;
const hourMs = 3_600_000;

/**
 * The window of the calendar of a time zone that an instant is in. Days are from midnight to midnight of the wall clock,
 * so one is 23 or 25 hours long when clocks are changed, and begins at one o'clock where midnight is skipped. An hour that
 * clocks show twice is two windows; a change within an hour cuts it in two.
 */
export function windowOf(instantMs: number, unit: WindowUnit, timeZone: string): Window {
  if (unit === 'minute') {
    const startMs = Math.floor(instantMs / minuteMs) * minuteMs;
    return { startMs, endMs: startMs + minuteMs };
  }
  return unit === 'hour' ? hourOf(instantMs, timeZone) : dateWindowOf(instantMs, unit, timeZone);
}

function hourOf(instantMs: number, timeZone: string): Window {
  const into = modulo(localTime(instantMs, timeZone), hourMs);
  const window = { startMs: instantMs - into, endMs: instantMs - into + hourMs };
  const offset = offsetOf(instantMs, timeZone);
  if (offsetOf(window.startMs, timeZone) !== offset) {
    window.startMs = changeBetween(window.startMs, instantMs, timeZone);
  }
  if (offsetOf(window.endMs - 1, timeZone) !== offset) {
    window.endMs = changeBetween(instantMs, window.endMs - 1, timeZone);
  }
  return window;
}

function dateWindowOf(instantMs: number, unit: 'day' | 'month', timeZone: string): Window {
  const local = new Date(localTime(instantMs, timeZone));
  const [year, month, day] = [local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate()];
  const [first, next] =
    unit === 'day'
      ? [Date.UTC(year, month, day), Date.UTC(year, month, day + 1)]
      : [Date.UTC(year, month, 1), Date.UTC(year, month + 1, 1)];
  return { startMs: instantOf(first, timeZone), endMs: instantOf(next, timeZone) };
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

/** {@link windowOf} that remembers the last window of each unit and zone, which nearly always is the one asked for. */
export class Calendar {
  readonly #last = new Map<string, Window>();

  windowOf(instantMs: number, unit: WindowUnit, timeZone: string): Window {
    const key = `${unit} ${timeZone}`;
    const last = this.#last.get(key);
    if (last && last.startMs <= instantMs && instantMs < last.endMs) return last;
    const window = windowOf(instantMs, unit, timeZone);
    this.#last.set(key, window);
    return window;
  }
}
