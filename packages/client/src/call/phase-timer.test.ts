import { expect, test } from 'vitest';
import { createManualClock } from '../../test/clock.ts';
import { phaseTimer } from './phase-timer.ts';

function timer() {
  const clock = createManualClock();
  const expired: string[] = [];
  const phases = phaseTimer(clock, (phase, limitMs) => {
    expired.push(`${phase} ${limitMs} at ${clock.now()}`);
  });
  return { clock, phases, expired };
}

test('a phase expires once, at its limit', async () => {
  const { clock, phases, expired } = timer();
  phases.enter('connect', 100);
  await clock.advance(99);
  expect(expired).toEqual([]);
  await clock.advance(1_000);
  expect(expired).toEqual(['connect 100 at 100']);
});

test('entering another phase replaces the first', async () => {
  const { clock, phases, expired } = timer();
  phases.enter('connect', 100);
  await clock.advance(90);
  phases.enter('first-token', 50);
  expect(clock.pending).toBe(1);
  await clock.advance(1_000);
  expect(expired).toEqual(['first-token 50 at 140']);
});

test('restart() gives the whole time again without another timer', async () => {
  const { clock, phases, expired } = timer();
  phases.enter('idle', 100);
  for (let count = 0; count < 10; count++) {
    await clock.advance(60);
    phases.restart();
    expect(clock.pending).toBe(1);
  }
  await clock.advance(99);
  expect(expired).toEqual([]);
  await clock.advance(1);
  expect(expired).toEqual(['idle 100 at 700']);
});

test('time between pause() and resume() does not count', async () => {
  const { clock, phases, expired } = timer();
  phases.enter('idle', 100);
  await clock.advance(40);
  phases.pause();
  await clock.advance(5_000);
  phases.pause();
  await clock.advance(5_000);
  phases.resume();
  await clock.advance(59);
  expect(expired).toEqual([]);
  await clock.advance(1);
  expect(expired).toEqual(['idle 100 at 10100']);
});

test('restart() while paused begins with resume()', async () => {
  const { clock, phases, expired } = timer();
  phases.enter('idle', 100);
  phases.pause();
  await clock.advance(500);
  phases.restart();
  await clock.advance(500);
  phases.resume();
  await clock.advance(99);
  expect(expired).toEqual([]);
  await clock.advance(1);
  expect(expired).toHaveLength(1);
});

test('Infinity sets no timer; stop() leaves none', async () => {
  const { clock, phases, expired } = timer();
  phases.enter('idle', Infinity);
  expect(clock.pending).toBe(0);
  phases.enter('idle', 100);
  phases.stop();
  phases.resume();
  expect(clock.pending).toBe(0);
  await clock.advance(1_000);
  expect(expired).toEqual([]);
});

/** A machine whose monotonic time stands still while it sleeps, as on Linux and macOS. */
function sleeper() {
  const clock = createManualClock();
  let sleptMs = 0;
  const expired: string[] = [];
  const slow: string[] = [];
  const phases = phaseTimer(
    { ...clock, now: () => clock.now(), wallNow: () => clock.now() + sleptMs },
    (phase) => expired.push(`${phase} at ${clock.now()}`),
    (phase) => slow.push(`${phase} at ${clock.now()}`),
  );
  return {
    clock,
    phases,
    expired,
    slow,
    sleep: (ms: number) => {
      sleptMs += ms;
    },
  };
}

test('a machine that slept longer than the limit: the phase is over within 2 s of waking', async () => {
  const { clock, phases, expired, sleep } = sleeper();
  phases.enter('idle', 60_000);
  await clock.advance(10_500);
  sleep(3_600_000);
  await clock.advance(499);
  expect(expired).toEqual([]);
  await clock.advance(1_500);
  expect(expired).toEqual(['idle at 12000']);
});

test.each([
  ['a short sleep counts as waiting', 5_000, 'idle at 56000'],
  ['a clock that is set back changes nothing', -3_600_000, 'idle at 60000'],
])('%s', async (_, ms, end) => {
  const { clock, phases, expired, sleep } = sleeper();
  phases.enter('idle', 60_000);
  await clock.advance(1_500);
  sleep(ms);
  await clock.advance(50_000);
  expect(expired).toEqual([]);
  await clock.advance(10_000);
  expect(expired).toEqual([end]);
});

test('a clock that is set ahead an hour ends nothing that still speaks', async () => {
  const { clock, phases, expired, sleep } = sleeper();
  phases.enter('idle', 60_000);
  await clock.advance(1_500);
  sleep(3_600_000);
  for (let count = 0; count < 100; count++) {
    await clock.advance(700);
    phases.restart();
  }
  expect(expired).toEqual([]);
});

test('F101: after a program stood still, what came meanwhile is read before the phase can be over', async () => {
  const clock = createManualClock();
  let jumpMs = 0;
  const expired: string[] = [];
  const phases = phaseTimer({ ...clock, now: () => clock.now() + jumpMs }, (phase) =>
    expired.push(`${phase} at ${clock.now()}`),
  );
  phases.enter('idle', 60_000);
  await clock.advance(5_000);
  jumpMs = 3_600_000;
  await clock.advance(1_000);
  expect(expired).toEqual([]);
  await clock.advance(1_000);
  expect(expired).toEqual(['idle at 7000']);
});

test('half of a limit is told once per wait', async () => {
  const { clock, phases, slow } = sleeper();
  phases.enter('first-token', 10_000);
  await clock.advance(9_000);
  phases.restart();
  await clock.advance(9_000);
  expect(slow).toEqual(['first-token at 5000', 'first-token at 14000']);
});
