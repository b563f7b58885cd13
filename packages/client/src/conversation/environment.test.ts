import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { frames, nextTask, randomId } from './environment.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('frames() waits 16 ms where there are no frames', () => {
  const publish = vi.fn();
  frames()(publish);
  vi.advanceTimersByTime(15);
  expect(publish).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(publish).toHaveBeenCalledTimes(1);
});

/** A page whose frames are drawn by hand. */
function page() {
  let waiting: (() => void) | null = null;
  const cancelled: number[] = [];
  vi.stubGlobal('requestAnimationFrame', (callback: () => void) => {
    waiting = callback;
    return 7;
  });
  vi.stubGlobal('cancelAnimationFrame', (frame: number) => cancelled.push(frame));
  return {
    cancelled,
    draw: () => {
      const drawn = waiting;
      waiting = null;
      drawn?.();
    },
  };
}

it('frames() publishes in the next task after a pause, not in the frame', () => {
  page();
  const publish = vi.fn();
  frames()(publish);
  expect(publish).not.toHaveBeenCalled();
  vi.advanceTimersByTime(0);
  expect(publish).toHaveBeenCalledTimes(1);
});

it('frames() publishes once per frame, 22 ms after it', () => {
  const { draw } = page();
  const publish = vi.fn();
  const schedule = frames();
  schedule(publish);
  vi.advanceTimersByTime(0);
  schedule(publish);
  vi.advanceTimersByTime(100);
  expect(publish).toHaveBeenCalledTimes(1);
  draw();
  vi.advanceTimersByTime(21);
  expect(publish).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1);
  expect(publish).toHaveBeenCalledTimes(2);
  draw();
  vi.advanceTimersByTime(15);
  schedule(publish);
  vi.advanceTimersByTime(6);
  expect(publish).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(1);
  expect(publish).toHaveBeenCalledTimes(3);
});

it('frames() does not wait for ever in a hidden page, which draws no frames', () => {
  const { cancelled } = page();
  const publish = vi.fn();
  const schedule = frames();
  schedule(publish);
  vi.advanceTimersByTime(0);
  schedule(publish);
  vi.advanceTimersByTime(249);
  expect(publish).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1 + 22);
  expect(publish).toHaveBeenCalledTimes(2);
  expect(cancelled).toEqual([7]);
});

it('nextTask() lets a page do its own work first, and is no wait elsewhere', async () => {
  expect(nextTask()).toBeUndefined();
  page();
  const order: string[] = [];
  const task = nextTask()?.then(() => order.push('task'));
  for (let step = 0; step < 20; step += 1) await Promise.resolve();
  order.push('work of the page');
  await task;
  expect(order).toEqual(['work of the page', 'task']);
  expect(vi.getTimerCount()).toBe(0);
});

it('randomId() is random, also on pages without crypto.randomUUID', () => {
  expect(randomId()).toMatch(/^[0-9a-f-]{36}$/);
  vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
  const ids = new Set(Array.from({ length: 1000 }, randomId));
  expect(ids.size).toBe(1000);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});
