import { expect, test } from 'vitest';
import { percentile } from '../queue/random.ts';
import { type PlacementLoad, type Policy, playPlacement, scenario } from './play-placement.ts';

const seeds = [1, 2];

async function play(policy: Policy, change: Partial<PlacementLoad> = {}) {
  const played = [];
  for (const seed of seeds) played.push(await playPlacement(policy, { ...scenario, ...change }, seed));
  return {
    mostLoads: Math.max(...played.map(({ coldLoads }) => coldLoads)),
    p95Ms: percentile(
      played.flatMap(({ firstTokenMs }) => firstTokenMs),
      0.95,
    ),
  };
}

// All 20 seeds, other loads and the other policies are in bench/placement.
test('a fleet with more models than memory: hardly a cold load, and first tokens in a quarter of the time', async () => {
  const ours = await play('ziggie');
  const least = await play('least connections');
  expect(ours.mostLoads).toBeLessThanOrEqual(10);
  expect(least.mostLoads).toBeGreaterThan(100);
  expect(ours.p95Ms).toBeLessThanOrEqual(least.p95Ms / 4);
});

test('equal seeds give equal days', async () => {
  const short = { ...scenario, requests: 150, warmUp: 0 };
  expect(await playPlacement('ziggie', short, 7)).toEqual(await playPlacement('ziggie', short, 7));
});

// What was sent to a model that is on its way out came back as a load of its own, which put out the next one, and so on for ever.
test('half busy machines that answer for each model at once do not load in circles', async () => {
  const half = { slotsPer: 'model', utilisation: 0.5, requests: 400 } as const;
  const ours = await play('ziggie', half);
  const least = await play('least connections', half);
  expect(ours.mostLoads).toBeLessThanOrEqual(20);
  expect(ours.p95Ms).toBeLessThanOrEqual(least.p95Ms / 4);
});
