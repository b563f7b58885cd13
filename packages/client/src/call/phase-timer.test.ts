import { expect, test } from 'vitest';
import { createManualClock } from '../../test/clock.ts';
import { PhaseTimer } from './phase-timer.ts';

function timer() {
  const clock = createManualClock();
  const expired: string[] = [];
  const phases = new PhaseTimer(clock, {
    expired: (phase, limitMs) => expired.push(`${phase} ${limitMs} at ${clock.now()}`),
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
