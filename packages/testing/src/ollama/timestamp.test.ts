import { expect, it } from 'vitest';
import { localTimestamp, utcTimestamp } from './timestamp.ts';

const epochMs = Date.UTC(2026, 10, 20, 9, 14, 3);

it.each([
  [epochMs + 37, 417_000, '2026-11-20T09:14:03.037417Z'],
  [epochMs + 37, 1, '2026-11-20T09:14:03.037000001Z'],
  [epochMs + 100, 0, '2026-11-20T09:14:03.1Z'],
  [epochMs, 0, '2026-11-20T09:14:03Z'],
])('utcTimestamp() cuts trailing zeros as Go does', (ms, extraNanoseconds, text) => {
  expect(utcTimestamp({ epochMs: ms, extraNanoseconds })).toBe(text);
});

it('localTimestamp() is the same moment', () => {
  const text = localTimestamp({ epochMs: epochMs + 5, extraNanoseconds: 600 });
  expect(text).toMatch(/T\d\d:14:03\.0050006(Z|[+-]\d\d:\d\d)$/);
  expect(Date.parse(text)).toBe(epochMs + 5);
});
