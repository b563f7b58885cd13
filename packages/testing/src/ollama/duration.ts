import { HttpFailure } from './http-failure.ts';

const unitMs: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/**
 * `keep_alive` in milliseconds, `Infinity` for a negative one and `undefined` when it is not given.
 *
 * Numbers are seconds, strings are Go durations. A bare number as a string is refused, as Go's parser does.
 *
 * @throws {HttpFailure} 400 with Go's text.
 */
export function parseKeepAlive(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  let ms: number;
  if (typeof value === 'number') ms = value * 1000;
  else if (typeof value === 'string') ms = parseGoDuration(value);
  else throw new HttpFailure(400, `Unsupported type: '${typeof value}'`);
  return ms < 0 ? Number.POSITIVE_INFINITY : ms;
}

/** A Go duration such as `1h30m`, `-1.5s` or `0`, in milliseconds. */
export function parseGoDuration(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  let rest = text.replace(/^[+-]/, '');
  if (rest === '0') return 0;
  const fail = (what: string) => new HttpFailure(400, `time: ${what} ${JSON.stringify(text)}`);
  if (rest === '') throw fail('invalid duration');
  let ms = 0;
  while (rest !== '') {
    const part = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest);
    if (!part) throw fail('invalid duration');
    const [whole, amount, unit] = part as unknown as [string, string, string];
    if (unit === '') throw fail('missing unit in duration');
    const factor = Object.hasOwn(unitMs, unit) ? unitMs[unit] : undefined;
    if (factor === undefined) throw fail(`unknown unit ${JSON.stringify(unit)} in duration`);
    ms += Number(amount) * factor;
    rest = rest.slice(whole.length);
  }
  return sign * ms;
}
