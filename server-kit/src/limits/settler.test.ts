import { describe, expect, test } from 'vitest';
import type { Charge, LimitStore } from './limit-store.ts';
import { Settler } from './settler.ts';

/** A clock whose timers ring when the test moves it. */
class ManualClock {
  ms = 0;
  timers: { at: number; callback: () => void }[] = [];
  now = () => this.ms;
  wallNow = () => this.ms;
  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = { at: this.ms + delayMs, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((one) => one !== timer);
    };
  }
  async advance(ms: number): Promise<void> {
    this.ms += ms;
    const due = this.timers.filter(({ at }) => at <= this.ms);
    this.timers = this.timers.filter(({ at }) => at > this.ms);
    for (const { callback } of due) callback();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }
}

function start(settle: (id: string, charges: readonly Charge[]) => Promise<void>) {
  const clock = new ManualClock();
  const renewed: string[][] = [];
  const errors: unknown[] = [];
  const store = {
    settle,
    renew: async (ids: readonly string[]) => void renewed.push([...ids]),
  } as unknown as LimitStore;
  const logger = { info() {}, warn() {}, error: (fields: unknown) => void errors.push(fields) };
  return { clock, renewed, errors, settler: new Settler(store, clock, logger) };
}

describe('Settler', () => {
  test('renews what is open, lets go of what was settled, and then has no timer left', async () => {
    const { clock, renewed, settler } = start(async () => {});
    settler.opened('a');
    settler.opened('b');
    await clock.advance(30_000);
    settler.settle('a', []);
    await clock.advance(30_000);
    expect(renewed).toEqual([['a', 'b'], ['b']]);
    settler.settle('b', []);
    await clock.advance(0);
    expect(clock.timers).toHaveLength(0);
  });

  test('brings what a store missed until it has it, once', async () => {
    let away = true;
    const got: string[] = [];
    const { clock, settler, errors } = start(async (id) => {
      if (away) throw new Error('away');
      got.push(id);
    });
    settler.settle('a', [{ key: 'k', amount: 1, endsAtMs: 1 }]);
    for (let round = 0; round < 5; round++) await clock.advance(2000);
    expect(got).toEqual([]);
    away = false;
    for (let round = 0; round < 5; round++) await clock.advance(2000);
    expect(got).toEqual(['a']);
    expect(errors).toEqual([]);
  });

  test('gives up after ten minutes and says so', async () => {
    const { clock, settler, errors } = start(() => Promise.reject(new Error('away')));
    settler.settle('a', []);
    await clock.advance(0);
    for (let round = 0; round < 302; round++) await clock.advance(2000);
    expect(errors).toHaveLength(1);
    expect(clock.timers).toHaveLength(0);
  });

  test('tries once more when the kit closes', async () => {
    let tries = 0;
    const { settler, clock } = start(async () => {
      tries++;
      if (tries === 1) throw new Error('away');
    });
    settler.settle('a', []);
    await clock.advance(0);
    await settler.close();
    expect(tries).toBe(2);
  });

  test('what is on its way to the store when the kit closes is waited for, and tried once more if it gets lost', async () => {
    const replies: { lose: () => void; keep: () => void }[] = [];
    const { settler, clock } = start(
      () => new Promise((keep, lose) => replies.push({ keep, lose: () => lose(new Error('away')) })),
    );
    settler.settle('a', []);
    let isClosed = false;
    const closing = settler.close().then(() => {
      isClosed = true;
    });
    await clock.advance(0);
    expect([replies.length, isClosed]).toEqual([1, false]);
    replies[0]?.lose();
    await clock.advance(0);
    expect([replies.length, isClosed]).toEqual([2, false]);
    replies[1]?.keep();
    await closing;
    expect(clock.timers).toEqual([]);
  });

  test('keeps ten thousand for a store that is away, and says of each beyond them that it could not be charged', async () => {
    const { clock, settler, errors } = start(() => Promise.reject(new Error('away')));
    for (let at = 0; at < 10_002; at++) settler.settle(`hold-${at}`, []);
    await clock.advance(0);
    expect(errors).toHaveLength(2);
  });
});
