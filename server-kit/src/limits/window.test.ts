import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Calendar, windowOf, windowUnits } from './window.ts';

const at = (text: string) => Date.parse(text);
const shown = (text: string, unit: (typeof windowUnits)[number], zone: string) => {
  const { startMs, endMs } = windowOf(at(text), unit, zone);
  return [new Date(startMs).toISOString(), new Date(endMs).toISOString(), (endMs - startMs) / 3_600_000];
};

describe('windowOf()', () => {
  test.each([
    // A common day, in UTC and east and west of it.
    ['2026-11-25T10:20:30Z', 'day', 'UTC', '2026-11-25T00:00:00.000Z', '2026-11-26T00:00:00.000Z', 24],
    ['2026-11-25T20:00:00Z', 'day', 'Asia/Tokyo', '2026-11-25T15:00:00.000Z', '2026-11-26T15:00:00.000Z', 24],
    [
      '2026-11-25T03:00:00Z',
      'day',
      'America/Los_Angeles',
      '2026-11-24T08:00:00.000Z',
      '2026-11-25T08:00:00.000Z',
      24,
    ],
    [
      '2026-11-25T10:20:30Z',
      'day',
      'Asia/Kathmandu',
      '2026-11-24T18:15:00.000Z',
      '2026-11-25T18:15:00.000Z',
      24,
    ],
    // Clocks go forward and back in Berlin.
    [
      '2026-03-29T12:00:00Z',
      'day',
      'Europe/Berlin',
      '2026-03-28T23:00:00.000Z',
      '2026-03-29T22:00:00.000Z',
      23,
    ],
    [
      '2026-10-25T12:00:00Z',
      'day',
      'Europe/Berlin',
      '2026-10-24T22:00:00.000Z',
      '2026-10-25T23:00:00.000Z',
      25,
    ],
    // Midnight itself is skipped (Beirut 2022, São Paulo 2018) or shown twice (Havana).
    [
      '2022-03-27T12:00:00Z',
      'day',
      'Asia/Beirut',
      '2022-03-26T22:00:00.000Z',
      '2022-03-27T21:00:00.000Z',
      23,
    ],
    [
      '2018-11-04T12:00:00Z',
      'day',
      'America/Sao_Paulo',
      '2018-11-04T03:00:00.000Z',
      '2018-11-05T02:00:00.000Z',
      23,
    ],
    [
      '2018-02-17T12:00:00Z',
      'day',
      'America/Sao_Paulo',
      '2018-02-17T02:00:00.000Z',
      '2018-02-18T03:00:00.000Z',
      25,
    ],
    [
      '2026-11-01T12:00:00Z',
      'day',
      'America/Havana',
      '2026-11-01T04:00:00.000Z',
      '2026-11-02T05:00:00.000Z',
      25,
    ],
    // Half an hour of summer time, and a day that Samoa never had.
    [
      '2026-04-05T03:00:00Z',
      'day',
      'Australia/Lord_Howe',
      '2026-04-04T13:00:00.000Z',
      '2026-04-05T13:30:00.000Z',
      24.5,
    ],
    [
      '2011-12-30T09:00:00Z',
      'day',
      'Pacific/Apia',
      '2011-12-29T10:00:00.000Z',
      '2011-12-30T10:00:00.000Z',
      24,
    ],
    // Months with a change of clocks, of February in a leap year, and over the end of a year.
    [
      '2026-03-15T00:00:00Z',
      'month',
      'Europe/Berlin',
      '2026-02-28T23:00:00.000Z',
      '2026-03-31T22:00:00.000Z',
      743,
    ],
    ['2028-02-29T23:59:59Z', 'month', 'UTC', '2028-02-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z', 696],
    [
      '2026-12-31T23:30:00Z',
      'month',
      'Europe/Berlin',
      '2026-12-31T23:00:00.000Z',
      '2027-01-31T23:00:00.000Z',
      744,
    ],
    // Hours: of a zone off by a quarter, the one shown twice, and one that is cut.
    [
      '2026-11-25T10:20:30Z',
      'hour',
      'Asia/Kathmandu',
      '2026-11-25T10:15:00.000Z',
      '2026-11-25T11:15:00.000Z',
      1,
    ],
    [
      '2026-10-25T00:30:00Z',
      'hour',
      'Europe/Berlin',
      '2026-10-25T00:00:00.000Z',
      '2026-10-25T01:00:00.000Z',
      1,
    ],
    [
      '2026-10-25T01:30:00Z',
      'hour',
      'Europe/Berlin',
      '2026-10-25T01:00:00.000Z',
      '2026-10-25T02:00:00.000Z',
      1,
    ],
    [
      '2026-04-04T15:10:00Z',
      'hour',
      'Australia/Lord_Howe',
      '2026-04-04T15:00:00.000Z',
      '2026-04-04T15:30:00.000Z',
      0.5,
    ],
    ['2026-11-25T10:20:30Z', 'minute', 'UTC', '2026-11-25T10:20:00.000Z', '2026-11-25T10:21:00.000Z', 1 / 60],
  ] as const)('%s: the %s in %s', (instant, unit, zone, start, end, hours) => {
    expect(shown(instant, unit, zone)).toEqual([start, end, hours]);
  });

  test('holds its instant, and its neighbours begin where it ends', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Africa/Casablanca',
      'Asia/Gaza',
    ];
    fc.assert(
      fc.property(
        fc.integer({ min: at('2015-01-01T00:00:00Z'), max: at('2035-01-01T00:00:00Z') }),
        fc.constantFrom(...windowUnits),
        fc.constantFrom(...zones),
        (instant, unit, zone) => {
          const window = windowOf(instant, unit, zone);
          expect(window.startMs).toBeLessThanOrEqual(instant);
          expect(window.endMs).toBeGreaterThan(instant);
          expect(windowOf(window.startMs, unit, zone)).toEqual(window);
          expect(windowOf(window.endMs - 1, unit, zone)).toEqual(window);
          expect(windowOf(window.endMs, unit, zone).startMs).toBe(window.endMs);
        },
      ),
      { numRuns: 400 },
    );
  });
});

test('Calendar gives the same windows, also backwards', () => {
  const calendar = new Calendar();
  for (const instant of ['2026-03-28T10:00:00Z', '2026-03-29T10:00:00Z', '2026-03-28T10:00:00Z'].map(at)) {
    expect(calendar.windowOf(instant, 'day', 'Europe/Berlin')).toEqual(
      windowOf(instant, 'day', 'Europe/Berlin'),
    );
  }
});
