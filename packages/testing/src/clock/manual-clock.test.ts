import { expect, it } from 'vitest';
import { createManualClock } from './manual-clock.ts';

it('advance() runs timers in order, each at its own time, new ones included', async () => {
  const clock = createManualClock();
  const seen: string[] = [];
  const note = (name: string) => () => void seen.push(`${name}@${clock.now()}`);
  clock.setTimer(note('late'), 30);
  clock.setTimer(() => {
    note('first')();
    clock.setTimer(note('nested'), 5);
  }, 10);
  clock.setTimer(note('same time, set later'), 10);
  clock.setTimer(note('never'), 31);
  await clock.advance(30);
  expect(seen).toEqual(['first@10', 'same time, set later@10', 'nested@15', 'late@30']);
  expect([clock.now(), clock.pending]).toEqual([30, 1]);
});

it('advance() lets promises settle between timers', async () => {
  const clock = createManualClock();
  const seen: number[] = [];
  const wait = (ms: number) => new Promise<void>((resolve) => void clock.setTimer(resolve, ms));
  void (async () => {
    for (let turn = 0; turn < 3; turn++) {
      await wait(10);
      seen.push(clock.now());
    }
  })();
  await clock.advance(100);
  expect(seen).toEqual([10, 20, 30]);
});

it('a cancelled timer does not run and does not count', async () => {
  const clock = createManualClock();
  let ran = false;
  const cancel = clock.setTimer(() => {
    ran = true;
  }, 1);
  cancel();
  expect(clock.pending).toBe(0);
  await clock.advance(10);
  expect(ran).toBe(false);
});
