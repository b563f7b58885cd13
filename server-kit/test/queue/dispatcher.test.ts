import { describe, expect, test } from 'vitest';
import { shuttingDown } from '../../src/failure.ts';
import type { PlaceInLine } from '../../src/queue/place-in-line.ts';
import { gone, startLines } from './lines.ts';

const codeOf = (promise: Promise<unknown>) => promise.then(() => 'placed').catch((thrown) => thrown.code);

describe('take()', () => {
  test('gives a free place at once, without a timer, and asks for it once', () => {
    const { run, places, clock, dispatcher } = startLines({ m: 1 });
    run('ada').release('done');
    expect([places.asked, clock.pending, dispatcher.waiting]).toEqual([1, 0, 0]);
  });

  test('nobody passes those who wait, whoever asks when a place is freed', async () => {
    const { run, wait, clock } = startLines({ m: 1 });
    const running = run('ada');
    const first = wait('grace');
    const second = wait('linus');
    running.release('done');
    const third = wait('ken');
    await clock.runUntil(0);
    expect(await codeOf(first.placed)).toBe('placed');
    expect([second, third].map((one) => one.priority)).toEqual(['interactive', 'interactive']);
    (await first.placed).release('done');
    expect(await codeOf(second.placed)).toBe('placed');
  });

  test('nobody passes those who wait either where a place comes back by itself, as those of a server that was down do', async () => {
    const { run, wait, places } = startLines({ m: 1 });
    const running = run('ada');
    const first = wait('grace');
    running.release('done');
    const next = await first.placed;
    const waiting = wait('linus');
    // Time alone has brought it back: nobody says so.
    places.free.set('m', 1);
    const late = wait('ken');
    expect(await codeOf(waiting.placed)).toBe('placed');
    next.release('done');
    expect(await codeOf(late.placed)).toBe('placed');
  });

  test('a model that no upstream has and one whose upstreams are down are refused at once', () => {
    const { take, places, dispatcher } = startLines({ m: 1 });
    expect(() => take('ada', { model: 'other' })).toThrow(
      expect.objectContaining({ code: 'model_not_found' }),
    );
    places.instead = 'none_healthy';
    expect(() => take('ada')).toThrow(expect.objectContaining({ code: 'upstream_unreachable' }));
    expect(dispatcher.list()).toEqual([]);
  });

  test('a line for a busy model does not hold up one whose model has a place', async () => {
    const { run, wait, places, clock } = startLines({ busy: 1, other: 1 });
    run('ada', { model: 'busy' });
    const running = run('ada', { model: 'other' });
    const held = [wait('grace', { model: 'busy' }), wait('grace', { model: 'busy' })];
    const free = wait('grace', { model: 'other' });
    running.release('done');
    expect(await codeOf(free.placed)).toBe('placed');
    places.add('busy');
    await clock.runUntil(10);
    expect(await codeOf((held[0] as (typeof held)[0]).placed)).toBe('placed');
  });

  test('who avoids the only free upstream does not hold up those behind', async () => {
    const { run, wait, places } = startLines({ m: 1 });
    run('ada');
    const choosy = wait('grace', { avoid: new Set(['one']), priority: 'urgent' });
    const behind = wait('linus');
    places.add('m');
    expect(await codeOf(behind.placed)).toBe('placed');
    expect(choosy.priority).toBe('urgent');
  });
});

describe('the bounds of a line', () => {
  test('the one above the bound gets queue_full and an honest time', async () => {
    const { run, wait, take, clock } = startLines({ m: 1 }, { maxPerModel: 2 });
    let running = run('ada');
    await clock.runUntil(8000);
    running.release('done');
    running = run('ada');
    wait('grace');
    wait('linus');
    await clock.runUntil(11_000);
    // An answer takes 8 s here, and 3 s of this one are over.
    expect(() => take('ken')).toThrow(
      expect.objectContaining({ code: 'queue_full', status: 503, more: { retryAfterMs: 5000 } }),
    );
  });

  test('a principal that fills the line gives way to one that waits with less', async () => {
    const { run, wait, dispatcher } = startLines({ m: 1 }, { maxPerModel: 3 });
    run('ada');
    const heavy = [wait('ada'), wait('ada'), wait('ada')] as const;
    wait('grace');
    expect(await codeOf(heavy[2].placed)).toBe('queue_full');
    expect(dispatcher.list().map(({ principalKey }) => principalKey)).toEqual(['grace', 'ada', 'ada']);
    // Now both would have as much: the newcomer goes.
    expect(() => wait('grace')).toThrow(expect.objectContaining({ code: 'queue_full' }));
  });

  test('a batch job gives way to an interactive one, never the other way round', async () => {
    const { run, wait } = startLines({ m: 1 }, { maxPerModel: 1 });
    run('ada');
    const batch = wait('ada', { priority: 'batch' });
    wait('grace');
    expect(await codeOf(batch.placed)).toBe('queue_full');
    expect(() => wait('linus', { priority: 'batch' })).toThrow(
      expect.objectContaining({ code: 'queue_full' }),
    );
  });

  test('a wait ends after the time that it may take, with queue_timeout and its rest as Retry-After', async () => {
    const { run, wait, clock, dispatcher } = startLines({ m: 1 }, { maxWaitMs: 60_000 });
    let running = run('ada');
    await clock.runUntil(100_000);
    running.release('done');
    running = run('ada');
    const early = wait('grace');
    await clock.runUntil(130_000);
    const late = wait('linus');
    await clock.runUntil(159_999);
    expect(dispatcher.waiting).toBe(2);
    await clock.runUntil(160_000);
    const failure = await early.placed.catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: 'queue_timeout', status: 503, more: { retryAfterMs: 40_000 } });
    expect(dispatcher.list().map(({ id }) => id)).toEqual([late.id]);
    await clock.runUntil(190_000);
    expect(await codeOf(late.placed)).toBe('queue_timeout');
    expect(clock.pending).toBe(0);
    running.release('done');
  });

  test('the time in which the model is loaded does not count as waiting', async () => {
    const { run, wait, clock, places } = startLines({ m: 1 }, { maxWaitMs: 10_000 });
    places.cold.add('m');
    const loading = run('ada');
    const waiting = wait('grace');
    await clock.runUntil(60_000);
    expect(waiting.enteredAt).toBe(0);
    loading.loaded();
    await clock.runUntil(69_000);
    expect(await Promise.race([codeOf(waiting.placed), 'waits'])).toBe('waits');
    await clock.runUntil(71_001);
    expect(await codeOf(waiting.placed)).toBe('queue_timeout');
    loading.release('done');
    expect(clock.pending).toBe(0);
  });

  test('upstreams that are down for a moment end no wait, those that stay down end all', async () => {
    const { run, wait, places, clock } = startLines({ m: 1 });
    const running = run('ada');
    const [first, second] = [wait('grace'), wait('linus')];
    places.instead = 'none_healthy';
    running.release('failed');
    await clock.runUntil(10_000);
    places.instead = undefined;
    places.tell();
    expect(await codeOf(first.placed)).toBe('placed');
    places.instead = 'none_healthy';
    (await first.placed).release('failed');
    await clock.runUntil(24_999);
    expect(await Promise.race([codeOf(second.placed), 'waits'])).toBe('waits');
    await clock.runUntil(25_000);
    expect(await codeOf(second.placed)).toBe('upstream_unreachable');
    expect(clock.pending).toBe(0);
  });
});

describe('places in line', () => {
  test('are told at once, again when they change, and at most each 250 ms', async () => {
    const { run, wait, clock, dispatcher } = startLines({ m: 1 });
    run('ada');
    const told: [at: number, PlaceInLine][] = [];
    const ahead = Array.from({ length: 20 }, (_, at) => wait(`before ${at}`));
    const waiting = wait('grace');
    waiting.onMove = (place) => told.push([clock.now(), place]);
    await clock.runUntil(0);
    expect(told).toEqual([[0, { position: 21, of: 21, etaMs: null }]]);
    for (const [at, one] of ahead.entries()) {
      clock.setTimer(() => dispatcher.leave(one, gone()), 1000 + at * 10);
    }
    await clock.runUntil(5000);
    expect(told.slice(1)).toEqual([
      [1000, { position: 20, of: 20, etaMs: null }],
      [1250, { position: 1, of: 1, etaMs: null }],
    ]);
    dispatcher.leave(waiting, gone());
    expect(clock.pending).toBe(0);
  });

  test('an urgent job of an administrator goes first, and everybody sees it', async () => {
    const { run, wait, dispatcher, places } = startLines({ m: 1 });
    run('ada');
    const [first, second] = [wait('grace'), wait('linus')];
    dispatcher.reprioritise(second, 'urgent');
    expect(dispatcher.placeOf(first)?.position).toBe(2);
    places.add('m');
    expect(await codeOf(second.placed)).toBe('placed');
  });

  test('a client that goes is out at once, and the end of all ends all', async () => {
    const { run, wait, dispatcher, clock } = startLines({ m: 1 });
    run('ada');
    const jobs = [wait('grace'), wait('linus'), wait('ken')] as const;
    expect(dispatcher.leave(jobs[0], gone())).toBe(true);
    expect(dispatcher.leave(jobs[0], gone())).toBe(false);
    expect(await codeOf(jobs[0].placed)).toBe('aborted');
    dispatcher.endAll(shuttingDown());
    expect(await Promise.all(jobs.slice(1).map((one) => codeOf(one.placed)))).toEqual(
      Array(2).fill('shutting_down'),
    );
    expect([dispatcher.waiting, dispatcher.timers, clock.pending]).toEqual([0, 0, 0]);
  });
});
