import { expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from './index.ts';

test('systemClock.now() goes forward', () => {
  const before = systemClock.now();
  expect(systemClock.now()).toBeGreaterThanOrEqual(before);
});

test('systemClock.setTimer() holds delays longer than setTimeout can', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let called = 0;
  systemClock.setTimer(() => called++, 2 ** 31 + 5_000);
  vi.advanceTimersByTime(2 ** 31 + 4_999);
  expect(called).toBe(0);
  vi.advanceTimersByTime(1);
  expect(called).toBe(1);
  expect(vi.getTimerCount()).toBe(0);
});

test('systemClock.setTimer() can be cancelled, and never calls back after Infinity', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const called = vi.fn();
  systemClock.setTimer(called, 10)();
  systemClock.setTimer(called, Infinity);
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(100);
  expect(called).not.toHaveBeenCalled();
});
