import { describe, expect, test } from 'vitest';
import { MemoryLimitStore } from './memory-limit-store.ts';

const two = { burst: 2, intervalMs: 1000 };

function storeOf(capacity?: number) {
  const clock = { ms: 0, now: () => clock.ms, wallNow: () => clock.ms, setTimer: () => () => {} };
  const store = new MemoryLimitStore(clock, capacity);
  const take = (key: string, rate = two) => {
    const ask = {
      rates: [{ key, rate }],
      quotas: [],
      gauges: [],
      units: 0,
      leastUnits: 0,
      holdId: undefined,
    };
    return store.take(ask).allowed;
  };
  const fill = (count: number) => {
    for (let index = 0; index < count; index++) take(`address:known-${index}`);
  };
  return { clock, store, take, fill };
}

describe('MemoryLimitStore under a flood of keys', () => {
  test('never grows beyond its capacity', () => {
    const { clock, store, take } = storeOf(100);
    for (let index = 0; index < 10_000; index++) {
      clock.ms = index / 100;
      take(`address:flood-${index}`);
    }
    expect(store.size.rates).toBeLessThanOrEqual(100);
  });

  test('strangers share one bucket and those who were there keep their own', () => {
    const { take, fill } = storeOf(10);
    fill(10);
    expect(['x', 'y', 'z'].map((key) => take(`address:${key}`))).toEqual([true, true, false]);
    expect(take('address:known-0')).toBe(true);
    expect(take('address:known-0')).toBe(false);
  });

  test('nobody gets a new burst', () => {
    const { take } = storeOf(10);
    take('address:ada');
    take('address:ada');
    for (let index = 0; index < 1000; index++) take(`address:flood-${index}`);
    expect(take('address:ada')).toBe(false);
  });

  test('addresses never take the room of users', () => {
    const { take, fill } = storeOf(10);
    fill(100);
    expect(['a', 'b', 'c', 'd'].map((key) => take(`principal:${key}`))).toEqual([true, true, true, true]);
  });

  test('there is room again when bursts are whole', () => {
    const { clock, store, take, fill } = storeOf(10);
    fill(10);
    clock.ms = 1000;
    expect(take('address:x')).toBe(true);
    expect(store.size.rates).toBe(1);
  });

  test('a full store is not searched for each new key', () => {
    const { clock, take } = storeOf(50_000);
    // A rate that keeps every key in use for long.
    const slow = { burst: 1, intervalMs: 1e9 };
    for (let index = 0; index < 50_000; index++) take(`address:known-${index}`, slow);
    clock.ms = 1;
    const began = performance.now();
    for (let index = 0; index < 5000; index++) take(`address:new-${index}`, slow);
    // Searching each time looks at 250 million entries, which takes seconds.
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
