import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Demand } from './demand.ts';
import { lossMs, type Resident, toEvict } from './eviction.ts';
import { type Candidate, cheapest, expectedCost } from './expected-cost.ts';
import { MemoryBounds } from './memory-bounds.ts';
import { PrefixCache } from './prefix-cache.ts';
import { prefixOf } from './prefix-hashes.ts';
import { SlotLearner } from './slot-learner.ts';

const idle: Candidate = {
  loadMs: 0,
  isBlocked: false,
  evictionMs: 0,
  inFlight: 0,
  slots: 1,
  totalInFlight: 0,
  maxInFlight: Number.POSITIVE_INFINITY,
  serviceMs: 8000,
  ahead: 0,
  waitedMs: 0,
  heldUp: 0,
  prefillMs: 100,
  weight: 1,
};

const duration = fc.double({ min: 0, max: 100_000, noNaN: true });
const candidate = fc.record({
  loadMs: duration,
  isBlocked: fc.boolean(),
  evictionMs: duration,
  inFlight: fc.nat(8),
  slots: fc.integer({ min: 1, max: 8 }),
  totalInFlight: fc.nat(16),
  maxInFlight: fc.integer({ min: 1, max: 16 }),
  serviceMs: duration,
  ahead: fc.nat(50),
  waitedMs: duration,
  heldUp: fc.nat(50),
  prefillMs: duration,
  weight: fc.double({ min: 0.1, max: 10, noNaN: true }),
});

describe('expected cost', () => {
  test('an idle upstream with the model costs its prompt', () => {
    expect(expectedCost(idle)).toEqual({ isFree: true, waitMs: 100, costMs: 100 });
  });

  test('a busy one that has it is better than an idle one that must load for long, and worse for short', () => {
    const busy = expectedCost({ ...idle, inFlight: 1 });
    expect(busy.isFree).toBe(false);
    expect(busy.costMs).toBeLessThan(expectedCost({ ...idle, loadMs: 20_000 }).costMs);
    expect(busy.costMs).toBeGreaterThan(expectedCost({ ...idle, loadMs: 2000 }).costMs);
  });

  test('a second load beside one that runs is waited for, not sent', () => {
    expect(expectedCost({ ...idle, loadMs: 30_000, isBlocked: true })).toMatchObject({
      isFree: false,
      waitMs: 30_100,
    });
  });

  test('a cache that would help does not outweigh a long wait: affinity yields', () => {
    const warmAndBusy = expectedCost({ ...idle, inFlight: 1, prefillMs: 0 });
    expect(warmAndBusy.costMs).toBeGreaterThan(expectedCost({ ...idle, prefillMs: 3000 }).costMs);
  });

  test('no knowledge makes it negative, not finite or cheaper than the wait', () => {
    void fc.assert(
      fc.property(candidate, (one) => {
        const { waitMs, costMs } = expectedCost(one);
        expect(Number.isFinite(costMs)).toBe(true);
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(costMs).toBeGreaterThanOrEqual(waitMs);
      }),
    );
  });

  test('more of anything bad never makes it cheaper', () => {
    const worse = [
      'loadMs',
      'evictionMs',
      'inFlight',
      'totalInFlight',
      'ahead',
      'waitedMs',
      'heldUp',
      'prefillMs',
    ] as const;
    void fc.assert(
      fc.property(
        candidate,
        fc.constantFrom(...worse),
        fc.integer({ min: 1, max: 10 }),
        (one, name, more) => {
          const after = expectedCost({ ...one, [name]: one[name] + more });
          // A place that is taken away is paid with a wait for it; crowding then counts no more than before.
          expect(after.costMs).toBeGreaterThanOrEqual(expectedCost(one).costMs - 1e-6);
        },
      ),
    );
  });

  test('the cheapest is chosen, among equals the one with less of its share', () => {
    const costs = (list: number[]) => list.map((costMs) => ({ isFree: true, waitMs: costMs, costMs }));
    expect(cheapest([], () => 0)).toBe(-1);
    expect(cheapest(costs([5, 3, 9]), () => 0)).toBe(1);
    expect(cheapest(costs([3, 3.5, 3]), (at) => [2, 1, 3][at] as number)).toBe(1);
    void fc.assert(
      fc.property(fc.array(duration, { minLength: 1, maxLength: 10 }), (list) => {
        const chosen = list[cheapest(costs(list), () => 0)] as number;
        expect(chosen).toBeLessThanOrEqual(Math.min(...list) + 1);
      }),
    );
  });
});

describe('which models go', () => {
  const resident = (name: string, more: Partial<Resident> = {}): Resident => ({
    name,
    bytes: 10,
    isIdle: true,
    isKept: false,
    lastUsedAt: 0,
    lossMs: 100,
    ...more,
  });
  const going = (residents: Resident[], needed: number) =>
    toEvict(residents, (freed) => freed >= needed).map(({ name }) => name);

  test('none where there is room', () => {
    expect(going([resident('a'), resident('b')], 0)).toEqual([]);
  });

  test('the one that is missed least, of equals the one used least recently', () => {
    expect(going([resident('a'), resident('b', { lossMs: 50 })], 10)).toEqual(['b']);
    expect(going([resident('a', { lastUsedAt: 9 }), resident('b', { lastUsedAt: 3 })], 10)).toEqual(['b']);
  });

  test('an idle one before a busy one, and one that is to stay after the others', () => {
    expect(going([resident('busy', { isIdle: false, lossMs: 0 }), resident('idle')], 10)).toEqual(['idle']);
    expect(going([resident('kept', { isKept: true, lossMs: 0 }), resident('other')], 10)).toEqual(['other']);
  });

  test('as many as it takes, and all when even that is too little', () => {
    const residents = [
      resident('a', { lossMs: 3 }),
      resident('b', { lossMs: 2 }),
      resident('c', { lossMs: 1 }),
    ];
    expect(going(residents, 20)).toEqual(['c', 'b']);
    expect(going(residents, 100)).toEqual(['c', 'b', 'a']);
  });

  const only = { loadMs: 20_000, missed: 1, perMs: 0.001, serviceMs: 3000, placesElsewhere: 0 };

  test('the only copy of a model in use costs more than its load, one that nobody asks for nothing', () => {
    expect(lossMs(only)).toBeGreaterThan(20_000);
    expect(lossMs({ ...only, missed: 0 })).toBe(0);
  });

  test('a copy costs the more the fewer are left for those who ask, and no more than the only one', () => {
    const left = [8, 6, 4, 3, 2, 0].map((placesElsewhere) => lossMs({ ...only, placesElsewhere }));
    expect(left).toEqual([...left].sort((a, b) => a - b));
    expect(left[0]).toBeLessThan(lossMs(only) / 5);
    expect(left.at(-1)).toBe(lossMs(only));
  });

  test('those who wait count as demand: a line that grows is not taken for a model that few ask for', () => {
    const demand = new Demand();
    demand.asked('m', 0);
    expect(demand.perMs('m', 0, 0)).toBeCloseTo(1 / 300_000);
    expect(demand.perMs('m', 29, 0)).toBeCloseTo(30 / 300_000);
    expect(demand.perMs('m', 0, 3_000_000)).toBeLessThan(1e-9);
    expect(demand.perMs('n', 0, 0)).toBe(0);
  });
});

describe('what fits into memory', () => {
  const gigabytes = (sizes: Record<string, number>) => new Map(Object.entries(sizes));
  const nothing = new Map<string, number>();

  test('what was in at once fits, what made another go does not', () => {
    const bounds = new MemoryBounds();
    expect(bounds.hasRoom(0, 100, 0)).toBe(true);
    bounds.saw(gigabytes({ a: 10, b: 10 }), nothing, 0);
    expect(bounds.hasRoom(10, 10, 0)).toBe(true);
    expect(bounds.hasRoom(20, 10, 0)).toBe(true);
    bounds.saw(gigabytes({ b: 10 }), gigabytes({ c: 10 }), 0);
    expect(bounds.hasRoom(20, 10, 0)).toBe(false);
    expect(bounds.hasRoom(10, 10, 0)).toBe(true);
    // Less than what once did not fit may fit.
    expect(bounds.hasRoom(20, 5, 0)).toBe(true);
  });

  test('a model that went by itself says nothing', () => {
    const bounds = new MemoryBounds();
    bounds.saw(gigabytes({ a: 10, b: 10 }), nothing, 0);
    bounds.saw(gigabytes({ b: 10 }), nothing, 0);
    expect(bounds.hasRoom(20, 10, 0)).toBe(true);
  });

  test('a load that waits behind another has not asked for room', () => {
    const bounds = new MemoryBounds();
    bounds.saw(gigabytes({ a: 10, b: 10 }), nothing, 0);
    bounds.saw(gigabytes({ b: 10 }), gigabytes({ c: 10, d: 10, e: 10 }), 0);
    expect(bounds.hasRoom(20, 10, 0)).toBe(false);
  });

  test('what happened between two looks makes no bound below what was in at once', () => {
    const bounds = new MemoryBounds();
    bounds.saw(gigabytes({ a: 10, b: 10 }), nothing, 0);
    bounds.saw(gigabytes({ b: 10 }), gigabytes({ c: 10 }), 0);
    // The one was put out by a load that is over and gone again.
    bounds.saw(gigabytes({ d: 10 }), nothing, 0);
    expect(bounds.hasRoom(20, 10, 0)).toBe(false);
    expect(bounds.hasRoom(10, 10, 0)).toBe(true);
  });

  test('a larger card is found out', () => {
    const bounds = new MemoryBounds();
    bounds.saw(gigabytes({ a: 10 }), nothing, 0);
    bounds.saw(nothing, gigabytes({ b: 10 }), 0);
    expect(bounds.hasRoom(10, 10, 0)).toBe(false);
    bounds.saw(gigabytes({ a: 10, b: 10, c: 10 }), nothing, 0);
    expect(bounds.hasRoom(20, 10, 0)).toBe(true);
  });

  test('a model whose time was over says nothing, though another is on its way', () => {
    const bounds = new MemoryBounds();
    bounds.saw(gigabytes({ a: 10, b: 10 }), nothing, 0);
    bounds.saw(gigabytes({ b: 10 }), gigabytes({ c: 10 }), 0, (name) => name === 'a');
    expect(bounds.hasRoom(20, 10, 0)).toBe(true);
  });

  test('what did not fit is tried again after an hour: somebody may have taken out what went', () => {
    const bounds = new MemoryBounds();
    bounds.saw(gigabytes({ a: 10, b: 10 }), nothing, 0);
    bounds.saw(gigabytes({ b: 10 }), gigabytes({ c: 10 }), 0);
    // What the kit itself makes go for what is too much is no news.
    bounds.saw(gigabytes({ b: 10, c: 10 }), nothing, 1);
    bounds.saw(gigabytes({ c: 10 }), gigabytes({ a: 10 }), 1_800_000);
    expect(bounds.hasRoom(20, 10, 3_599_999)).toBe(false);
    expect(bounds.hasRoom(20, 10, 3_600_000)).toBe(true);
  });
});

describe('slots that nobody says', () => {
  /** A server with so many slots, always asked by more than it has. */
  function learned(real: number, rounds: number): { slots: number; most: number } {
    const learner = new SlotLearner();
    let most = 0;
    for (let round = 0; round < rounds; round++) {
      const now = round * 10_000;
      const running = learner.allowed(now);
      most = Math.max(most, running - real);
      const tries = learner.took(running);
      const writing = Math.min(running, real);
      learner.began(writing);
      if (tries) learner.tryEnded(running <= real, now);
    }
    return { slots: learner.slots, most };
  }

  test.each([1, 2, 4, 16])('%i are found, and never more than one too many is sent', (real) => {
    expect(learned(real, 100)).toEqual({ slots: real, most: 1 });
  });

  test('tries that fail become rare', () => {
    const learner = new SlotLearner();
    let tries = 0;
    for (let second = 0; second < 36_000; second++) {
      if (!learner.took(learner.allowed(second * 1000))) continue;
      tries++;
      learner.tryEnded(false, second * 1000);
    }
    expect(tries).toBeLessThan(20);
  });
});

describe('beginnings of prompts', () => {
  const turn = (who: string, turns: number) => [
    'system\nYou are helpful.',
    ...Array.from({ length: turns }, (_, at) => `user\n${who} ${at}`),
  ];

  test('a conversation goes back to where its last turn ran', () => {
    const cache = new PrefixCache(1024);
    cache.learn(prefixOf('m', turn('ada', 3)).hashes, 2);
    const next = prefixOf('m', turn('ada', 4));
    expect(cache.find(next.hashes)).toEqual({ blocks: 4, upstream: 2 });
    expect(next.characters[3]).toBe(turn('ada', 3).join('').length);
  });

  test('no tenant and no model finds what another one said', () => {
    const cache = new PrefixCache(1024);
    cache.learn(prefixOf('tenant a\nm', turn('ada', 3)).hashes, 2);
    expect(cache.find(prefixOf('tenant b\nm', turn('ada', 4)).hashes)).toBeUndefined();
    expect(cache.find(prefixOf('tenant a\nn', turn('ada', 4)).hashes)).toBeUndefined();
  });

  test('a beginning that many prompts share draws nobody', () => {
    const cache = new PrefixCache(1024);
    for (let user = 0; user < 5; user++) cache.learn(prefixOf('m', turn(`user ${user}`, 1)).hashes, 0);
    expect(cache.find(prefixOf('m', turn('somebody new', 1)).hashes)).toBeUndefined();
    // What follows it still leads its own conversation home.
    expect(cache.find(prefixOf('m', turn('user 3', 2)).hashes)).toMatchObject({ upstream: 0 });
  });

  test('equal hashes mean equal beginnings, over 200,000 prompts', () => {
    const seen = new Set<number>();
    for (let prompt = 0; prompt < 200_000; prompt++) {
      seen.add(prefixOf('m', [`prompt ${prompt}`]).hashes[0] as number);
    }
    expect(seen.size).toBe(200_000);
  });

  test('a prompt of 4 MB keeps 64 blocks: the first and the newest', () => {
    const { hashes, characters } = prefixOf('m', ['x'.repeat(4_000_000)]);
    expect(hashes).toHaveLength(64);
    expect(characters[0]).toBe(4096);
    expect(characters.at(-1)).toBe(4_000_000);
  });

  test('a million conversations take the memory that one takes', () => {
    const cache = new PrefixCache();
    const { bytes } = cache;
    for (let hash = 1; hash <= 1_000_000; hash++) cache.learn([hash * 7919], hash % 3);
    expect(cache.bytes).toBe(bytes);
    expect(bytes).toBeLessThan(64 * 1024 * 1024);
    // The newest ones are there.
    let known = 0;
    for (let hash = 999_001; hash <= 1_000_000; hash++) if (cache.find([hash * 7919])) known++;
    expect(known).toBeGreaterThan(990);
  });
});
