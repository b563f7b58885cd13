import type { ConversationSummary } from '@ziggie/llm-client/storage';

/** A part of the list under one heading. `month` is wall time in ms within that month. */
export type DayGroup =
  | { readonly kind: 'pinned' | 'today' | 'yesterday' | 'week' | 'days30'; readonly items: Items }
  | { readonly kind: 'month'; readonly month: number; readonly items: Items };
type Items = readonly ConversationSummary[];

/**
 * Puts a list that is sorted (pinned first, then newest first) under the headings people look for. Days are those of the
 * reader's own calendar; `now` is wall time in ms. What comes from a clock that is ahead counts as today.
 */
export function groupByDay(conversations: Items, now: number): DayGroup[] {
  const today = new Date(now).setHours(0, 0, 0, 0);
  const daysAgo = (days: number) => new Date(today).setDate(new Date(today).getDate() - days);
  const since = { yesterday: daysAgo(1), week: daysAgo(7), days30: daysAgo(30) };
  const groups = new Map<string, { kind: DayGroup['kind']; month: number; items: ConversationSummary[] }>();
  for (const summary of conversations) {
    const at = summary.updatedAt;
    const kind = summary.pinned
      ? 'pinned'
      : at >= today
        ? 'today'
        : at >= since.yesterday
          ? 'yesterday'
          : at >= since.week
            ? 'week'
            : at >= since.days30
              ? 'days30'
              : 'month';
    const day = new Date(at);
    const key = kind === 'month' ? `${day.getFullYear()}-${day.getMonth()}` : kind;
    const group = groups.get(key) ?? { kind, month: at, items: [] };
    group.items.push(summary);
    groups.set(key, group);
  }
  return [...groups.values()];
}
