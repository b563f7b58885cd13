import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FairClass } from '../../src/queue/fair-class.ts';
import { FairLine } from '../../src/queue/fair-line.ts';
import { type LineJob, priorities } from '../../src/queue/line-job.ts';
import type { PlaceLease } from '../../src/queue/place-lease.ts';
import { Waiting } from '../../src/queue/waiting.ts';
import { checkLines, commands, job } from './line-properties.ts';
import { gone, startLines } from './lines.ts';
import { randomFrom } from './random.ts';

describe('a line, whatever happens to it', () => {
  test('serves in the very order that it tells, loses nobody and keeps the order within a principal', () => {
    checkLines(300);
  });

  test('order is kept within one principal and class', () => {
    fc.assert(
      fc.property(commands, (list) => {
        const line = new FairLine<LineJob>(60_000);
        list.forEach(({ flow, weight, estimateMs, priority }, at) => {
          line.enter(job(String(at).padStart(3, '0'), `${flow}`, { weight, estimateMs, priority }), at);
        });
        const order = line.order(list.length);
        for (const priority of priorities) {
          for (let flow = 0; flow < 8; flow++) {
            const own = order
              .filter((one) => one.flowKey === `${flow}` && one.priority === priority)
              .map(({ id }) => id);
            expect(own).toEqual([...own].sort());
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test('principals who always have work are served by their weights, whatever their jobs take', () => {
    const random = randomFrom(7);
    const line = new FairLine<LineJob>(60_000);
    const flows = [
      { key: 'short', weight: 1, ms: () => 200 },
      { key: 'long', weight: 1, ms: () => 9000 },
      { key: 'wild', weight: 1, ms: () => 10 + random() * 20_000 },
      { key: 'twice', weight: 2, ms: () => 1500 },
    ];
    const served = new Map(flows.map(({ key }) => [key, 0]));
    let made = 0;
    const enter = ({ key, weight }: (typeof flows)[number], now: number) =>
      // All are thought to take the same: what they really take is only known afterwards.
      line.enter(job(`${made++}`, key, { weight, estimateMs: 3000 }), now);
    for (const flow of flows) enter(flow, 0);
    let now = 0;
    while (now < 3_600_000) {
      const first = line.first(now) as LineJob;
      const flow = flows.find(({ key }) => key === first.flowKey) as (typeof flows)[number];
      const charge = line.begin(first, now);
      enter(flow, now);
      const ms = flow.ms();
      now += ms;
      line.settle(charge, ms);
      served.set(flow.key, (served.get(flow.key) ?? 0) + ms);
    }
    const share = (key: string) => (served.get(key) as number) / now;
    for (const key of ['short', 'long', 'wild']) expect(share(key)).toBeCloseTo(0.2, 1);
    expect(share('twice')).toBeCloseTo(0.4, 1);
  });

  test('batch gets a turn each guard time under a flood of interactive work, and no more', () => {
    const line = new FairLine<LineJob>(60_000);
    let made = 0;
    const begun: number[] = [];
    for (let at = 0; at < 50; at++) line.enter(job(`b${at}`, 'nightly', { priority: 'batch' }), 0);
    for (let now = 0; now < 600_000; now += 1000) {
      line.enter(job(`i${made++}`, `user ${made % 5}`), now);
      const first = line.first(now) as LineJob;
      if (first.priority === 'batch') begun.push(now);
      line.settle(line.begin(first, now), 1000);
    }
    expect(begun).toEqual([60, 120, 180, 240, 300, 360, 420, 480, 540].map((s) => s * 1000));
  });

  test('what is remembered of principals stays small, however many come', () => {
    const fair = new FairClass<LineJob>();
    const stays = fair.charge('one who is never done', 1, 1000);
    for (let at = 0; at < 20_000; at++) fair.settle(fair.charge(`user ${at}`, 1, 5), 4);
    expect(fair.known).toBeLessThan(1100);
    fair.settle(stays, 1000);
    expect(fair.known).toBe(0);
  });
});

test('places are exact under 500 random enters and leaves', async () => {
  const random = randomFrom(20_301);
  const { take, dispatcher, clock, places } = startLines({ m: 3, n: 1 }, { maxPerModel: 1000 });
  const waiting: Waiting[] = [];
  const running: PlaceLease[] = [];
  const keep = (taken: PlaceLease | Waiting) => {
    if (!(taken instanceof Waiting)) running.push(taken);
    else {
      waiting.push(taken);
      taken.placed.then(
        (place) => running.push(place),
        () => {},
      );
    }
  };
  const one = <T>(list: T[]): T | undefined => list.splice(Math.floor(random() * list.length), 1)[0];
  for (let step = 0; step < 500; step++) {
    await clock.runUntil(clock.now() + random() * 900);
    const dice = random();
    if (dice < 0.55) {
      const priority = random() < 0.2 ? 'batch' : 'interactive';
      keep(
        take(`user ${Math.floor(random() * 9)}`, { model: random() < 0.7 ? 'm' : 'n', priority, weight: 1 }),
      );
    } else if (dice < 0.8) {
      const leaver = one(waiting);
      if (leaver) dispatcher.leave(leaver, gone());
    } else one(running)?.release('done');
    await undefined;
    for (const model of ['m', 'n']) {
      const list = dispatcher.list().filter((entry) => entry.model === model);
      expect(list.map(({ position, of }) => [position, of])).toEqual(
        list.map((_, at) => [at + 1, list.length]),
      );
    }
  }
  // From here on nobody comes: the order in which they were told to be is the order in which they are served.
  const told = dispatcher.list().map(({ id }) => id);
  expect(told.length).toBeGreaterThan(20);
  const served: string[] = [];
  for (const id of told) void dispatcher.find(id)?.placed.then(() => served.push(id));
  const before = { m: told.filter((id) => dispatcher.find(id)?.ask.place.model === 'm') };
  for (let at = 0; at < told.length; at++) {
    places.add('m');
    places.add('n');
    await undefined;
  }
  expect(served.filter((id) => before.m.includes(id))).toEqual(before.m);
  expect([served.length, dispatcher.waiting]).toEqual([told.length, 0]);
  for (const place of running) place.release('done');
  await clock.runUntil(clock.now() + 1000);
  expect([dispatcher.timers, clock.pending]).toEqual([0, 0]);
});
