import { expect, test } from 'vitest';
import { fairnessLoad, type LoadJob, type LoadResult, playLoad } from './load.ts';
import { percentile, randomFrom } from './random.ts';

const minute = 60_000;
const isLight = ({ user }: LoadJob) => user !== 'heavy';
const waitsOf = (results: LoadResult[]) => results.map(({ waitMs }) => waitMs);

test('light users wait 15 s at most behind a heavy one where they waited for minutes, and it loses nothing', async () => {
  const load = fairnessLoad(randomFrom(3));
  const fair = await playLoad('ziggie', load, 4, 31 * minute);
  const plain = await playLoad('first come', load, 4, 31 * minute);
  expect(percentile(waitsOf(fair.filter(isLight)), 0.95)).toBeLessThanOrEqual(15_000);
  expect(percentile(waitsOf(plain.filter(isLight)), 0.95)).toBeGreaterThan(300_000);
  expect(fair.filter((one) => !isLight(one)).length).toBe(200);
  // Of the places that light users leave while it has work, it gets all.
  const endless = (await playLoad('ziggie', fairnessLoad(randomFrom(3), 1000), 4, 30 * minute)).filter(
    ({ endedAtMs }) => endedAtMs <= 29 * minute,
  );
  const work = (list: LoadResult[]) => list.reduce((sum, { serviceMs }) => sum + serviceMs, 0);
  const left = 4 * 29 * minute - work(endless.filter(isLight));
  expect(work(endless.filter((one) => !isLight(one))) / left).toBeGreaterThan(0.98);
});

test.each([
  { name: 'the jobs of a heavy and ten light users', load: fairnessLoad },
  { name: 'answers of 2 to 14 s that come in bursts', load: bursts },
])('what people are told that they will wait is off by 30 % at most (median): $name', async ({ load }) => {
  const results = await playLoad('ziggie', load(randomFrom(5)), 4, 60 * minute, { withEtas: true });
  const errors = results.flatMap(({ etaMs, waitMs }) =>
    etaMs === null || waitMs === 0 ? [] : [Math.abs(etaMs - waitMs) / waitMs],
  );
  expect(errors.length).toBeGreaterThan(40);
  expect(percentile(errors, 0.5)).toBeLessThanOrEqual(0.3);
});

function bursts(random: () => number): LoadJob[] {
  return Array.from({ length: 10 * 24 }, (_, at) => ({
    atMs: Math.floor(at / 24) * 120_000 + random() * 5000,
    user: `user ${Math.floor(random() * 12)}`,
    serviceMs: 2000 + random() * 12_000,
  }));
}
