import { expect } from 'vitest';
import type { LimitStore } from '../../src/index.ts';
import { holdForMs } from '../../src/limits/limit-store.ts';
import type { SetClock } from '../harness.ts';

interface ModelHold {
  quota: number;
  amount: number;
  gauge: number;
  untilMs: number;
}

/** A generator with a seed (mulberry32): the same numbers every time. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

const quotas = 5;
const gauges = 3;
const limit = 100_000;
const gaugeLimit = 20;
const endsAtMs = Date.UTC(2040, 0, 1);

/**
 * Random takes, settlements, renewals, crashes (holds that are simply forgotten) and waits, beside the simplest model of
 * what must be: reserved is what open holds have, settled is what was charged, and no quota ever has less than nothing left
 * that the model does not know of. Compared after every operation.
 */
export async function runLedger(
  store: LimitStore,
  clock: SetClock,
  operations: number,
  seed: number,
): Promise<void> {
  const random = randomFrom(seed);
  const holds = new Map<string, ModelHold>();
  const expired: string[] = [];
  const settled = new Array<number>(quotas).fill(0);
  let generation = 0;
  let nextId = 0;
  const keyOf = (quota: number) => `tokens:${generation}:${quota}`;
  const reservedOf = (quota: number) =>
    [...holds.values()].reduce((sum, hold) => sum + (hold.quota === quota ? hold.amount : 0), 0);
  const heldOf = (gauge: number) => [...holds.values()].filter((hold) => hold.gauge === gauge).length;
  const expire = () => {
    for (const [id, hold] of holds) {
      if (hold.untilMs > clock.wallMs) continue;
      holds.delete(id);
      expired.push(id);
    }
  };
  const pick = () => [...holds.keys()][random(holds.size)];

  for (let operation = 0; operation < operations; operation++) {
    expire();
    const dice = random(100);
    const quota = random(quotas);
    if (dice < 45) {
      const gauge = random(gauges);
      const [fixed, units] = [random(50), 1 + random(400)];
      const id = `hold-${seed}-${nextId++}`;
      const answer = await store.take({
        rates: [],
        quotas: [{ key: keyOf(quota), limit, fixed, perUnit: 2, endsAtMs }],
        gauges: [{ key: `gauge:${gauge}`, limit: gaugeLimit }],
        units,
        leastUnits: 1,
        holdId: id,
      });
      const left = limit - (settled[quota] as number) - reservedOf(quota) - fixed;
      const granted = Math.min(units, Math.floor(left / 2));
      const allowed = left >= 0 && granted >= 1 && heldOf(gauge) < gaugeLimit;
      if (answer.allowed !== allowed || (allowed && answer.units !== granted)) {
        expect({ operation, allowed: answer.allowed, units: answer.units }).toEqual({
          operation,
          allowed,
          units: allowed ? granted : 0,
        });
      }
      if (allowed)
        holds.set(id, { quota, gauge, amount: fixed + 2 * granted, untilMs: clock.wallMs + holdForMs });
    } else if (dice < 80) {
      const id = pick();
      const hold = id === undefined ? undefined : holds.get(id);
      if (id !== undefined && hold) {
        // Mostly less than was reserved, sometimes all, now and then more.
        const amount = random(10) === 0 ? hold.amount + random(20) : random(hold.amount + 1);
        const charges = [{ key: keyOf(hold.quota), amount, endsAtMs }];
        await store.settle(id, charges);
        holds.delete(id);
        settled[hold.quota] = (settled[hold.quota] as number) + amount;
        if (random(5) === 0) await store.settle(id, charges);
      }
    } else if (dice < 88) {
      clock.advance(random(20_000));
    } else if (dice < 94) {
      const ids = [pick(), pick()].filter((id) => id !== undefined);
      await store.renew(ids);
      for (const id of ids) (holds.get(id) as ModelHold).untilMs = clock.wallMs + holdForMs;
    } else if (dice < 97) {
      const late = expired.pop();
      if (late !== undefined) {
        const amount = random(30);
        await store.settle(late, [{ key: keyOf(quota), amount, endsAtMs }]);
        settled[quota] = (settled[quota] as number) + amount;
      }
      expired.splice(0);
    } else if (Math.max(...settled) > limit * 0.9) {
      // A new window: holds of the old one go on, and no longer matter here.
      for (const id of holds.keys()) await store.settle(id, []);
      holds.clear();
      settled.fill(0);
      generation++;
    }
    expire();
    const state = await store.look({
      rates: [],
      quotas: [{ key: keyOf(quota), limit, fixed: 0, perUnit: 1, endsAtMs }],
      gauges: [{ key: 'gauge:0', limit: gaugeLimit }],
      units: 0,
      leastUnits: 0,
      holdId: undefined,
    });
    const [seen] = state.quotas;
    // Compared by hand first: a million assertions take a minute.
    if (
      seen?.settled !== settled[quota] ||
      seen?.reserved !== reservedOf(quota) ||
      state.gauges[0]?.held !== heldOf(0)
    ) {
      expect({ operation, ...seen, held: state.gauges[0]?.held }).toMatchObject({
        operation,
        settled: settled[quota],
        reserved: reservedOf(quota),
        held: heldOf(0),
      });
    }
  }
  // Everything that was forgotten comes back by itself.
  clock.advance(2 * 60_000);
  for (let quota = 0; quota < quotas; quota++) {
    const state = await store.look({
      rates: [],
      quotas: [{ key: keyOf(quota), limit, fixed: 0, perUnit: 1, endsAtMs }],
      gauges: [],
      units: 0,
      leastUnits: 0,
      holdId: undefined,
    });
    expect(state.quotas[0]).toMatchObject({ settled: settled[quota], reserved: 0 });
  }
}
