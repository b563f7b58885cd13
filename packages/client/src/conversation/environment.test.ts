import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { frames, randomId } from './environment.ts';

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

it('frames() publishes with the frame, once', () => {
  let draw = (): void => {};
  vi.stubGlobal('requestAnimationFrame', (callback: () => void) => {
    draw = callback;
    return 7;
  });
  const publish = vi.fn();
  frames()(publish);
  draw();
  expect(publish).toHaveBeenCalledTimes(1);
  expect(vi.getTimerCount()).toBe(0);
});

it('frames() does not wait for ever in a hidden page, which draws no frames', () => {
  const cancelled: number[] = [];
  vi.stubGlobal('requestAnimationFrame', () => 7);
  vi.stubGlobal('cancelAnimationFrame', (frame: number) => cancelled.push(frame));
  const publish = vi.fn();
  frames()(publish);
  vi.advanceTimersByTime(250);
  expect(publish).toHaveBeenCalledTimes(1);
  expect(cancelled).toEqual([7]);
});

it('frames() asks for no frame too soon after one that brought something', () => {
  let draw: (() => void) | null = null;
  vi.stubGlobal('requestAnimationFrame', (callback: () => void) => {
    draw = callback;
    return 7;
  });
  const publish = vi.fn();
  const schedule = frames();
  const frame = (): void => {
    const drawn = draw;
    draw = null;
    drawn?.();
  };
  schedule(publish);
  frame();
  expect(publish).toHaveBeenCalledTimes(1);
  schedule(publish);
  vi.advanceTimersByTime(24);
  frame();
  expect(publish).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1);
  frame();
  expect(publish).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(100);
  schedule(publish);
  frame();
  expect(publish).toHaveBeenCalledTimes(3);
  expect(vi.getTimerCount()).toBe(0);
});

it('randomId() is random, also on pages without crypto.randomUUID', () => {
  expect(randomId()).toMatch(/^[0-9a-f-]{36}$/);
  vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
  const ids = new Set(Array.from({ length: 1000 }, randomId));
  expect(ids.size).toBe(1000);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});
