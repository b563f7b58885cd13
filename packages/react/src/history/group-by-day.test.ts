import type { ConversationSummary } from '@ziggie/llm-client/storage';
import { expect, it } from 'vitest';
import { groupByDay } from './group-by-day.ts';

const now = new Date(2026, 2, 31, 9, 30).getTime();

function at(id: string, day: Date, pinned = false): ConversationSummary {
  const updatedAt = day.getTime();
  return { id, title: id, model: null, pinned, archived: false, messages: 2, updatedAt };
}

it('conversations stand under the days of the calendar, not under multiples of 24 hours', () => {
  const groups = groupByDay(
    [
      at('pinned', new Date(2020, 0, 1), true),
      at('ahead', new Date(2026, 3, 2)),
      at('at midnight', new Date(2026, 2, 31, 0, 0)),
      at('one minute before', new Date(2026, 2, 30, 23, 59)),
      at('two days', new Date(2026, 2, 29, 23, 59)),
      at('a week', new Date(2026, 2, 24, 0, 0)),
      at('eight days', new Date(2026, 2, 23, 23, 0)),
      at('30 days', new Date(2026, 2, 1, 0, 0)),
      at('February', new Date(2026, 1, 28, 23, 0)),
      at('early February', new Date(2026, 1, 2)),
      at('February before', new Date(2025, 1, 27)),
    ],
    now,
  );
  expect(groups.map(({ kind, items }) => [kind, items.map(({ id }) => id)])).toEqual([
    ['pinned', ['pinned']],
    ['today', ['ahead', 'at midnight']],
    ['yesterday', ['one minute before']],
    ['week', ['two days', 'a week']],
    ['days30', ['eight days', '30 days']],
    ['month', ['February', 'early February']],
    ['month', ['February before']],
  ]);
});

it('nothing makes no group', () => {
  expect(groupByDay([], now)).toEqual([]);
});
