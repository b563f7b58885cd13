import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide, type Rate, ratePer } from './gcra.ts';

const three: Rate = { burst: 3, intervalMs: 100 };

describe('decide()', () => {
  test.each([
    // state, now, allowed, state after, remaining, retry after, whole again in
    [undefined, 1000, true, 1100, 2, 0, 100],
    [1100, 1000, true, 1200, 1, 0, 200],
    [1200, 1000, true, 1300, 0, 0, 300],
    [1300, 1000, false, 1300, 0, 100, 300],
    [1300, 1099, false, 1300, 0, 1, 201],
    [1300, 1100, true, 1400, 0, 0, 300],
    [1300, 1250, true, 1400, 1, 0, 150],
    [1300, 1300, true, 1400, 2, 0, 100],
    [1300, 9000, true, 9100, 2, 0, 100],
  ])('state %s at %s: allowed %s', (tat, now, allowed, tatMs, remaining, retryAfterMs, resetMs) => {
    expect(decide(tat, now, three)).toEqual({ allowed, tatMs, remaining, retryAfterMs, resetMs });
  });

  const rates = fc.integer({ min: 1, max: 100_000 }).map((count) => ratePer(60_000, count));
  const times = fc.double({ min: 0, max: 1e10, noNaN: true });

  test('rounding never costs the last request of a burst, whatever the rate and the time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 700 }), times, (count, now) => {
        const rate = ratePer(60_000, count);
        let tat: number | undefined;
        for (let taken = 1; taken <= count; taken++) {
          const decision = decide(tat, now, rate);
          expect(decision).toMatchObject({ allowed: true, remaining: count - taken });
          tat = decision.tatMs;
        }
        expect(decide(tat, now, rate).allowed).toBe(false);
      }),
    );
  });

  test('never lets more through than burst + rate × time, in any window', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 80 }),
        (burst, intervalMs, gaps) => {
          let now = 0;
          let tat: number | undefined;
          const passed: number[] = [];
          for (const gap of gaps) {
            now += gap;
            const decision = decide(tat, now, { burst, intervalMs });
            tat = decision.tatMs;
            if (decision.allowed) passed.push(now);
          }
          passed.forEach((from, first) => {
            passed.slice(first).forEach((to, more) => {
              expect(more + 1).toBeLessThanOrEqual(burst + (to - from) / intervalMs);
            });
          });
        },
      ),
    );
  });

  test('a refusal consumes nothing, and what it says about waiting is true', () => {
    fc.assert(
      fc.property(
        rates,
        fc.integer({ min: 0, max: 1e9 }),
        fc.integer({ min: 1, max: 50 }),
        (rate, now, refusals) => {
          const full = now + rate.burst * rate.intervalMs;
          let tat = full;
          for (let index = 0; index < refusals; index++) tat = decide(tat, now, rate).tatMs;
          expect(tat).toBe(full);
          const { retryAfterMs } = decide(tat, now, rate);
          expect(decide(tat, now + Math.ceil(retryAfterMs), rate).allowed).toBe(true);
        },
      ),
    );
  });
});
