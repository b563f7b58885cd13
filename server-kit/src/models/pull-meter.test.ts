import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { PullMeter } from './pull-meter.ts';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

const digest = `sha256:${'a'.repeat(64)}`;
const heap = () => {
  gc();
  return process.memoryUsage().heapUsed;
};

test('records without end within a moment are not remembered one by one', () => {
  const meter = new PullMeter('gpu-1');
  const before = heap();
  for (let at = 0; at < 1_000_000; at++) meter.read({ status: 'pulling manifest' }, 1000 + at / 1_000_000);
  expect(heap() - before).toBeLessThan(4 * 1024 * 1024);
  expect(meter.read({ status: 'success' }, 2000)).toMatchObject({ bytesPerSec: null });
});

test('the speed is that of the last five seconds, however often it is told', () => {
  const meter = new PullMeter('gpu-1');
  const at = (ms: number, completed: number) =>
    meter.read({ status: 'pulling manifest', digest, total: 100_000, completed }, ms);
  at(0, 0);
  for (let ms = 10; ms <= 10_000; ms += 10) at(ms, ms);
  expect(at(10_000, 10_000)).toMatchObject({ bytesPerSec: 1000, etaMs: 90_000 });
  // Twice as fast from here on.
  for (let ms = 10_010; ms <= 16_000; ms += 10) at(ms, 10_000 + 2 * (ms - 10_000));
  expect(at(16_000, 22_000).bytesPerSec).toBe(2000);
});
