import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { canEnter, writingSpeed } from './phases.ts';
import type { RunPhase } from './types.ts';

const kinds: RunPhase['kind'][] = [
  'connecting',
  'reconnecting',
  'queued',
  'loading',
  'reading',
  'thinking',
  'tool',
  'writing',
  'stopping',
];

// Rows: from. Columns in the order above: to.
const table: Record<RunPhase['kind'], string> = {
  connecting: 'x x x x x x x x x',
  reconnecting: 'x x x x x x x x x',
  queued: 'x x x x x x x x x',
  loading: 'x x x x x x x x x',
  reading: 'x x x x x x x x x',
  thinking: 'x x . . . x x x x',
  tool: 'x x . . . x x x x',
  writing: 'x x . . . . x x x',
  stopping: '. . . . . . . . .',
};

it.each(kinds)('canEnter() from %s', (from) => {
  expect(kinds.map((to) => (canEnter(from, to) ? 'x' : '.')).join(' ')).toBe(table[from]);
});

it.each([
  [7, 10_000, null],
  [100, 499, null],
  [8, 500, 14],
  [101, 2000, 50],
  // The clock of the machine was set back.
  [100, -1000, null],
])('writingSpeed(%d tokens, %d ms) is %s', (tokens, elapsedMs, speed) => {
  expect(writingSpeed(tokens, elapsedMs)).toBe(speed);
});

it('the list of phases in the README lists every transition, and no other', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const table = readme.slice(
    readme.indexOf('Each phase, and what'),
    readme.indexOf('## Where are conversations kept'),
  );
  const rows = [...table.matchAll(/^- `(\w+)`: (.*)$/gm)];
  const listed = new Map(
    rows.map(([, from, to]) => [from, [...(to ?? '').matchAll(/`(\w+)`/g)].map(([, kind]) => kind)]),
  );
  expect([...listed.keys()].sort()).toEqual([...kinds].sort());
  for (const from of kinds) {
    const expected = kinds.filter((to) => to !== from && canEnter(from, to));
    expect([...(listed.get(from) ?? [])].sort()).toEqual([...expected].sort());
  }
});
