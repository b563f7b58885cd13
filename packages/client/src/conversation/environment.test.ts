import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { nextFrame, randomId } from './environment.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('nextFrame() waits 16 ms where there are no frames', () => {
  const publish = vi.fn();
  nextFrame(publish);
  vi.advanceTimersByTime(15);
  expect(publish).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(publish).toHaveBeenCalledTimes(1);
});

it('nextFrame() publishes with the frame, once', () => {
  let draw = (): void => {};
  vi.stubGlobal('requestAnimationFrame', (callback: () => void) => {
    draw = callback;
    return 7;
  });
  const publish = vi.fn();
  nextFrame(publish);
  draw();
  expect(publish).toHaveBeenCalledTimes(1);
  expect(vi.getTimerCount()).toBe(0);
});

it('nextFrame() does not wait for ever in a hidden page, which draws no frames', () => {
  const cancelled: number[] = [];
  vi.stubGlobal('requestAnimationFrame', () => 7);
  vi.stubGlobal('cancelAnimationFrame', (frame: number) => cancelled.push(frame));
  const publish = vi.fn();
  nextFrame(publish);
  vi.advanceTimersByTime(250);
  expect(publish).toHaveBeenCalledTimes(1);
  expect(cancelled).toEqual([7]);
});

it('randomId() is random, also on pages without crypto.randomUUID', () => {
  expect(randomId()).toMatch(/^[0-9a-f-]{36}$/);
  vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
  const ids = new Set(Array.from({ length: 1000 }, randomId));
  expect(ids.size).toBe(1000);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});
