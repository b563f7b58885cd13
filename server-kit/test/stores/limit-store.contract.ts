import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LimitAnswer, LimitAsk, LimitStore } from '../../src/index.ts';
import type { SetClock } from '../harness.ts';
import { runLedger } from './ledger.ts';

/** A store under test, and the clock it goes by. */
export interface StoreBench {
  store: LimitStore;
  clock: SetClock;
  close(): Promise<void> | void;
}

const two = { burst: 2, intervalMs: 1000 };
const day = { endsAtMs: Date.UTC(2030, 0, 2) };
const ask = (more: Partial<LimitAsk>): LimitAsk => ({
  rates: [],
  quotas: [],
  gauges: [],
  units: 0,
  leastUnits: 0,
  holdId: undefined,
  ...more,
});

/** What every store of limits must do. */
export function limitStoreContract(
  name: string,
  ledgerOperations: number,
  open: () => Promise<StoreBench>,
): void {
  describe(`limits in ${name}`, () => {
    let bench: StoreBench;
    beforeEach(async () => {
      bench = await open();
    });
    afterEach(() => bench.close());

    const take = async (more: Partial<LimitAsk>): Promise<LimitAnswer> => bench.store.take(ask(more));
    const look = async (more: Partial<LimitAsk>): Promise<LimitAnswer> => bench.store.look(ask(more));
    const rate = (key: string) => take({ rates: [{ key, rate: two }] });
    const quota = (limit: number, more: { fixed?: number; perUnit?: number; key?: string } = {}) => ({
      key: 'tokens:1:ada',
      limit,
      fixed: 0,
      perUnit: 1,
      ...day,
      ...more,
    });

    test('a rate gives its burst, refuses with the time to wait, and fills up again', async () => {
      expect((await rate('r:a')).rates).toEqual([
        { fits: true, remaining: 1, retryAfterMs: 0, resetMs: 1000 },
      ]);
      expect((await rate('r:a')).rates).toEqual([
        { fits: true, remaining: 0, retryAfterMs: 0, resetMs: 2000 },
      ]);
      const refused = await rate('r:a');
      expect(refused).toEqual({
        allowed: false,
        units: 0,
        rates: [{ fits: false, remaining: 0, retryAfterMs: 1000, resetMs: 2000 }],
        quotas: [],
        gauges: [],
      });
      bench.clock.advance(999);
      expect((await rate('r:a')).allowed).toBe(false);
      bench.clock.advance(1);
      expect((await rate('r:a')).allowed).toBe(true);
      expect((await rate('r:b')).allowed).toBe(true);
    });

    test('a clock that is set back an hour locks nobody out for an hour', async () => {
      for (let round = 0; round < 3; round++) await rate('r:a');
      bench.clock.advance(-3_600_000);
      const allowed = [await rate('r:a'), await rate('r:a'), await rate('r:a')].map(
        (answer) => answer.allowed,
      );
      expect(allowed).toEqual([true, true, false]);
    });

    test('a clock that is set forward gives no more than one burst', async () => {
      for (let round = 0; round < 3; round++) await rate('r:a');
      bench.clock.advance(3_600_000);
      const allowed = [await rate('r:a'), await rate('r:a'), await rate('r:a')].map(
        (answer) => answer.allowed,
      );
      expect(allowed).toEqual([true, true, false]);
    });

    test('a look takes nothing and says what is left', async () => {
      const rates = [{ key: 'r:a', rate: two }];
      for (let round = 0; round < 5; round++) {
        expect((await look({ rates })).rates[0]).toMatchObject({ fits: true, remaining: 2, resetMs: 0 });
      }
      await rate('r:a');
      expect((await look({ rates })).rates[0]).toMatchObject({ remaining: 1 });
      // A line that only looks is refused when nothing is left, and takes nothing beside lines that take.
      await take({
        rates: [
          { key: 'r:a', rate: two, looks: true },
          { key: 'r:b', rate: two },
        ],
      });
      expect((await look({ rates })).rates[0]).toMatchObject({ remaining: 1 });
      await rate('r:a');
      expect((await take({ rates: [{ key: 'r:a', rate: two, looks: true }] })).allowed).toBe(false);
    });

    test('a quota without a hold is charged at once', async () => {
      const line = quota(2, { fixed: 1, perUnit: 0 });
      expect((await take({ quotas: [line] })).quotas).toEqual([{ fits: true, settled: 1, reserved: 0 }]);
      expect((await take({ quotas: [line] })).allowed).toBe(true);
      const refused = await take({ quotas: [line] });
      expect(refused).toMatchObject({ allowed: false, quotas: [{ fits: false, settled: 2, reserved: 0 }] });
    });

    test('grants as many units as every quota has room for, and refuses below the least', async () => {
      const tokens = quota(100, { fixed: 10 });
      const cost = quota(45, { key: 'cost:1:ada', fixed: 5, perUnit: 2 });
      const first = await take({ quotas: [tokens, cost], units: 50, leastUnits: 1, holdId: 'a' });
      // 90 tokens would fit, the cost has room for 20.
      expect(first).toMatchObject({ allowed: true, units: 20 });
      expect(first.quotas).toEqual([
        { fits: true, settled: 0, reserved: 30 },
        { fits: true, settled: 0, reserved: 45 },
      ]);
      const second = await take({ quotas: [tokens, cost], units: 50, leastUnits: 1, holdId: 'b' });
      expect(second).toMatchObject({ allowed: false, units: 0 });
      expect(second.quotas).toEqual([
        { fits: true, settled: 0, reserved: 30 },
        { fits: false, settled: 0, reserved: 45 },
      ]);
    });

    test('a settled hold gives back what it did not use, once', async () => {
      await take({ quotas: [quota(100)], units: 80, leastUnits: 1, holdId: 'a' });
      const charges = [{ key: 'tokens:1:ada', amount: 25, ...day }];
      await bench.store.settle('a', charges);
      await bench.store.settle('a', charges);
      expect((await look({ quotas: [quota(100)] })).quotas).toEqual([
        { fits: true, settled: 25, reserved: 0 },
      ]);
    });

    test('a hold that used more than it had is charged in full', async () => {
      await take({ quotas: [quota(100)], units: 80, leastUnits: 1, holdId: 'a' });
      await bench.store.settle('a', [{ key: 'tokens:1:ada', amount: 120, ...day }]);
      expect(await look({ quotas: [quota(100)], units: 1, leastUnits: 1 })).toMatchObject({
        allowed: false,
        quotas: [{ settled: 120, reserved: 0 }],
      });
    });

    test('an orphan is let go after 90 s, and what it came to still counts when it comes late', async () => {
      await take({
        quotas: [quota(100)],
        gauges: [{ key: 'g:a', limit: 1 }],
        units: 80,
        leastUnits: 1,
        holdId: 'a',
      });
      bench.clock.advance(89_000);
      expect((await look({ quotas: [quota(100)] })).quotas[0]).toMatchObject({ reserved: 80 });
      bench.clock.advance(1_001);
      expect(await look({ quotas: [quota(100)], gauges: [{ key: 'g:a', limit: 1 }] })).toMatchObject({
        quotas: [{ settled: 0, reserved: 0 }],
        gauges: [{ fits: true, held: 0 }],
      });
      await bench.store.settle('a', [{ key: 'tokens:1:ada', amount: 30, ...day }]);
      await bench.store.settle('a', [{ key: 'tokens:1:ada', amount: 30, ...day }]);
      expect((await look({ quotas: [quota(100)] })).quotas[0]).toEqual({
        fits: true,
        settled: 30,
        reserved: 0,
      });
    });

    test('a hold that is renewed lives on; one that had run out stays so', async () => {
      await take({ gauges: [{ key: 'g:a', limit: 2 }], holdId: 'a' });
      await take({ gauges: [{ key: 'g:a', limit: 2 }], holdId: 'b' });
      for (let round = 0; round < 4; round++) {
        bench.clock.advance(30_000);
        await bench.store.renew(['a']);
      }
      expect((await look({ gauges: [{ key: 'g:a', limit: 2 }] })).gauges).toEqual([{ fits: true, held: 1 }]);
      await bench.store.renew(['b']);
      expect((await look({ gauges: [{ key: 'g:a', limit: 2 }] })).gauges).toEqual([{ fits: true, held: 1 }]);
    });

    test('a gauge is held until it is let go', async () => {
      const gauges = [{ key: 'g:a', limit: 2 }];
      expect((await take({ gauges, holdId: 'a' })).gauges).toEqual([{ fits: true, held: 1 }]);
      expect((await take({ gauges, holdId: 'b' })).allowed).toBe(true);
      expect(await take({ gauges, holdId: 'c' })).toMatchObject({
        allowed: false,
        gauges: [{ fits: false, held: 2 }],
      });
      await bench.store.settle('c', []);
      expect((await take({ gauges, holdId: 'c' })).allowed).toBe(false);
      await bench.store.settle('a', []);
      expect((await take({ gauges, holdId: 'c' })).allowed).toBe(true);
    });

    test('a hold can get more lines later, and lets go of all of them together', async () => {
      await take({ gauges: [{ key: 'g:a', limit: 1 }], holdId: 'a' });
      await take({ quotas: [quota(100)], units: 40, leastUnits: 1, holdId: 'a' });
      await take({ quotas: [quota(100, { fixed: 10, perUnit: 0 })], holdId: 'a' });
      expect((await look({ quotas: [quota(100)] })).quotas[0]).toMatchObject({ reserved: 50 });
      await bench.store.settle('a', [{ key: 'tokens:1:ada', amount: 1, ...day }]);
      expect(await look({ quotas: [quota(100)], gauges: [{ key: 'g:a', limit: 1 }] })).toMatchObject({
        quotas: [{ settled: 1, reserved: 0 }],
        gauges: [{ held: 0 }],
      });
    });

    test('a refusal by any line takes of none', async () => {
      const lines = {
        rates: [{ key: 'r:a', rate: two }],
        quotas: [quota(100)],
        gauges: [{ key: 'g:a', limit: 1 }],
      };
      await take({ gauges: lines.gauges, holdId: 'first' });
      await take({ ...lines, units: 10, leastUnits: 1, holdId: 'refused by the gauge' });
      await bench.store.settle('first', []);
      await take({
        ...lines,
        quotas: [quota(5, { fixed: 6 })],
        units: 1,
        leastUnits: 1,
        holdId: 'by the quota',
      });
      await rate('r:full');
      await rate('r:full');
      await take({
        ...lines,
        rates: [...lines.rates, { key: 'r:full', rate: two }],
        units: 10,
        leastUnits: 1,
        holdId: 'by a rate',
      });
      expect(await look(lines)).toMatchObject({
        rates: [{ remaining: 2 }],
        quotas: [{ settled: 0, reserved: 0 }],
        gauges: [{ held: 0 }],
      });
    });

    test('a hundred at the same time get exactly what there is', async () => {
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, at) =>
          take({
            rates: [{ key: 'r:burst', rate: { burst: 60, intervalMs: 1000 } }],
            quotas: [quota(1000)],
            gauges: [{ key: 'g:burst', limit: 50 }],
            units: 300,
            leastUnits: 1,
            holdId: `hold-${at}`,
          }),
        ),
      );
      const granted = answers.filter(({ allowed }) => allowed);
      expect(granted.reduce((sum, { units }) => sum + units, 0)).toBe(1000);
      expect(granted.map(({ units }) => units).sort()).toEqual([100, 300, 300, 300]);
    });

    test('windows are apart, and a long id is no trouble', async () => {
      const key = `tokens:2:${'x'.repeat(200)}:"'\\\u0000é`;
      await take({ quotas: [quota(5, { key, fixed: 5, perUnit: 0 })] });
      expect((await take({ quotas: [quota(5, { key, fixed: 5, perUnit: 0 })] })).allowed).toBe(false);
      expect((await take({ quotas: [quota(5, { key: `${key}!`, fixed: 5, perUnit: 0 })] })).allowed).toBe(
        true,
      );
    });

    test('amounts are exact up to what a number holds', async () => {
      const limit = 9_000_000_000_000_000;
      await take({ quotas: [quota(limit, { fixed: 8_999_999_999_999_998, perUnit: 0 })], holdId: 'a' });
      const one = quota(limit, { fixed: 1, perUnit: 0 });
      expect((await take({ quotas: [one] })).quotas[0]).toMatchObject({
        settled: 1,
        reserved: 8_999_999_999_999_998,
      });
      expect((await take({ quotas: [one] })).allowed).toBe(true);
      expect((await take({ quotas: [one] })).allowed).toBe(false);
    });

    test(`${ledgerOperations} random operations conserve the sum`, async () => {
      await runLedger(bench.store, bench.clock, ledgerOperations, 42);
    });
  });
}
