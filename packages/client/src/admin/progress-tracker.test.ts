import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fixture, fixtures, hasFixtures } from '../../test/fixtures.ts';
import { type ProgressRecord, ProgressTracker } from './progress-tracker.ts';
import type { ModelProgress } from './types.ts';

function track(records: readonly ProgressRecord[], stepMs = 60): ModelProgress[] {
  const tracker = new ProgressTracker();
  return records.map((record, index) => tracker.add(record, index * stepMs));
}

function neverBack(steps: readonly ModelProgress[]): void {
  let before = 0;
  for (const { fraction } of steps) {
    if (fraction === null) continue;
    expect(fraction).toBeGreaterThanOrEqual(before);
    expect(fraction).toBeLessThanOrEqual(1);
    before = fraction;
  }
}

const part = (digest: string, total: number, completed?: number): ProgressRecord => ({
  status: `pulling ${digest}`,
  digest,
  total,
  ...(completed === undefined ? {} : { completed }),
});

describe.skipIf(!hasFixtures)('C85 pull-progress: over the transcripts', () => {
  const whole = fixtures(/^(?:pull|push|create)-.*\.ndjson$/).filter((name) => !name.includes('error'));
  test.each(whole)('%s never goes back and ends at 100 %', (name) => {
    const steps = track(
      fixture(name)
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as ProgressRecord),
    );
    neverBack(steps);
    expect(steps.at(-1)).toMatchObject({ fraction: 1, phase: 'done', etaMs: 0 });
    for (const { fraction } of steps.slice(0, -1)) expect(fraction ?? 0).toBeLessThanOrEqual(0.99);
  });

  test('there are transcripts', () => expect(whole.length).toBeGreaterThanOrEqual(6));
});

test('before a size is known there is no fraction', () => {
  expect(track([{ status: 'pulling manifest' }])[0]).toEqual({
    status: 'pulling manifest',
    phase: 'preparing',
    fraction: null,
    completedBytes: 0,
    totalBytes: 0,
    bytesPerSecond: null,
    etaMs: null,
    layers: [],
  });
});

test('a layer that is heard of later continues from where the bar is', () => {
  const steps = track([
    part('a', 800),
    part('a', 800, 400),
    part('a', 800, 800),
    part('b', 200),
    part('b', 200, 100),
    part('b', 200, 200),
    { status: 'verifying sha256 digest' },
    { status: 'success' },
  ]);
  const fractions = steps.map(({ fraction }) => Number(fraction?.toFixed(4)));
  expect(fractions).toEqual([0, 0.495, 0.99, 0.99, 0.99, 0.99, 0.99, 1]);
  expect(steps[3]).toMatchObject({ completedBytes: 800, totalBytes: 1_000, phase: 'transferring' });
  expect(steps[6]).toMatchObject({ phase: 'finishing', completedBytes: 1_000 });
});

test('a layer that was there before the big one does not use up the bar', () => {
  const steps = track([
    part('small', 10, 10),
    part('big', 990),
    part('big', 990, 495),
    part('big', 990, 990),
  ]);
  expect(steps.map(({ fraction }) => Number(fraction?.toFixed(2)))).toEqual([0.99, 0.99, 0.99, 0.99]);
  // The bar cannot go back; the bytes tell the truth.
  expect(steps[2]).toMatchObject({ completedBytes: 505, totalBytes: 1_000 });
});

test('bytes that go back on the server do not go back here', () => {
  const steps = track([part('a', 100, 60), part('a', 100, 40), part('a', 100, 70)]);
  expect(steps.map(({ completedBytes }) => completedBytes)).toEqual([60, 60, 70]);
});

test('speed and time left leave out what was there before', () => {
  const tracker = new ProgressTracker();
  tracker.add(part('a', 10_000, 5_000), 0);
  expect(tracker.add(part('a', 10_000, 5_100), 100).bytesPerSecond).toBeNull();
  expect(tracker.add(part('a', 10_000, 6_000), 1_000)).toMatchObject({ bytesPerSecond: 1_000, etaMs: 4_000 });
  // Only the last five seconds count.
  tracker.add(part('a', 10_000, 6_000), 6_000);
  expect(tracker.add(part('a', 10_000, 6_500), 7_000).bytesPerSecond).toBeCloseTo(83, 0);
});

test('an attempt that begins anew does not complete the layer that was cut', () => {
  const tracker = new ProgressTracker();
  tracker.add(part('a', 100, 40), 0);
  tracker.restart();
  const manifest = tracker.add({ status: 'pulling manifest' }, 10);
  expect(manifest).toMatchObject({ completedBytes: 40 });
  expect(tracker.add(part('a', 100, 30), 20)).toMatchObject({
    completedBytes: 40,
    fraction: manifest.fraction,
  });
});

test('layers of two servers are two, and one that goes on does not complete what the other is at', () => {
  const tracker = new ProgressTracker();
  tracker.add({ ...part('a', 100, 10), host: 'gpu-1' }, 0);
  tracker.add({ ...part('a', 100, 20), host: 'gpu-2' }, 1);
  const both = tracker.add({ ...part('b', 100, 5), host: 'gpu-2' }, 2);
  expect(both.layers).toEqual([
    { host: 'gpu-1', digest: 'a', totalBytes: 100, completedBytes: 10 },
    { host: 'gpu-2', digest: 'a', totalBytes: 100, completedBytes: 100 },
    { host: 'gpu-2', digest: 'b', totalBytes: 100, completedBytes: 5 },
  ]);
  expect(tracker.add({ status: 'success' }, 3)).toMatchObject({ fraction: 1, phase: 'done' });
});

test('whatever a server reports, the bar never goes back', () => {
  const record = fc.oneof(
    fc.record({
      status: fc.constantFrom('pulling', 'verifying', ''),
      digest: fc.constantFrom('a', 'b', 'c', 7, undefined),
      total: fc.oneof(fc.nat(1_000), fc.constantFrom(-1, Number.NaN, '5', undefined)),
      completed: fc.oneof(fc.nat(2_000), fc.constantFrom(-1, Number.NaN, '5', undefined)),
    }),
    fc.constant('restart' as const),
  );
  fc.assert(
    fc.property(fc.array(record, { maxLength: 30 }), (records) => {
      const tracker = new ProgressTracker();
      const steps: ModelProgress[] = [];
      for (const one of records) {
        if (one === 'restart') tracker.restart();
        else steps.push(tracker.add(one, steps.length * 100));
      }
      neverBack(steps);
      for (const step of steps) {
        expect(step.completedBytes).toBeLessThanOrEqual(step.totalBytes);
        expect(step.bytesPerSecond ?? 0).toBeGreaterThanOrEqual(0);
      }
    }),
    { numRuns: 500 },
  );
});
