import { describe, expect, test } from 'vitest';
import type { Rate } from './gcra.ts';
import { MemoryLimitStore } from './limit-store.ts';

const two: Rate = { burst: 2, intervalMs: 1000 };
const fill = (store: MemoryLimitStore, count: number, now: number) => {
  for (let index = 0; index < count; index++) store.take(`known-${index}`, two, now);
};

describe('MemoryLimitStore', () => {
  test('keeps keys apart', () => {
    const store = new MemoryLimitStore();
    const allowed = ['a', 'a', 'a', 'b'].map((key) => store.take(key, two, 0).allowed);
    expect(allowed).toEqual([true, true, false, true]);
  });

  test('never grows beyond its capacity', () => {
    const store = new MemoryLimitStore(100);
    for (let index = 0; index < 10_000; index++) store.take(`flood-${index}`, two, index / 100);
    expect(store.size).toBeLessThanOrEqual(100);
  });

  test('when it is full, strangers share one bucket and those who were there keep their own', () => {
    const store = new MemoryLimitStore(10);
    fill(store, 10, 0);
    const strangers = ['x', 'y', 'z'].map((key) => store.take(key, two, 0).allowed);
    expect(strangers).toEqual([true, true, false]);
    expect(store.take('known-0', two, 0).allowed).toBe(true);
    expect(store.take('known-0', two, 0).allowed).toBe(false);
  });

  test('a flood never gives anybody a new burst', () => {
    const store = new MemoryLimitStore(10);
    store.take('ada', two, 0);
    store.take('ada', two, 0);
    for (let index = 0; index < 1000; index++) store.take(`flood-${index}`, two, 0);
    expect(store.take('ada', two, 0).allowed).toBe(false);
  });

  test('makes room again when bursts are whole', () => {
    const store = new MemoryLimitStore(10);
    fill(store, 10, 0);
    expect(store.take('x', two, 1000).remaining).toBe(1);
    expect(store.size).toBe(1);
  });

  test('a full store is not searched for each new key', () => {
    const store = new MemoryLimitStore(50_000);
    // A rate that keeps every key in use for long.
    const slow: Rate = { burst: 1, intervalMs: 1e9 };
    for (let index = 0; index < 50_000; index++) store.take(`known-${index}`, slow, 0);
    const began = performance.now();
    for (let index = 0; index < 5_000; index++) store.take(`new-${index}`, slow, 1);
    // Searching each time looks at 250 million entries, which takes seconds.
    expect(performance.now() - began).toBeLessThan(500);
  });
});
