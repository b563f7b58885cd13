import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { faults } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import { check } from './check.ts';
import expectations from './expectations.json' with { type: 'json' };
import type { Wire } from './play.ts';

const corpus = fileURLToPath(new URL('../../../../../shared/corpora/faults.json', import.meta.url));
const { elsewhere, notByThisPackageAlone } = expectations as Record<string, Record<string, string>>;
const wires: Wire[] = ['NDJSON', 'SSE'];

/** Minutes of work for each wire: in the long run. */
const isLong = (id: string): boolean => id === 'F051';

const rows = faults
  .filter(({ id }) => !isLong(id))
  .flatMap(({ id, what, variants }) =>
    variants.map((variant): [string, string, string] => [id, variant, what]),
  );

describe.each(wires)('over %s', (wire) => {
  test.each(rows)('%s %s: %s', (id, variant) => check(id, variant, wire));
});

test.skipIf(!existsSync(corpus))(
  'every row of the list that names the client is played here or there',
  () => {
    const { faults: list } = JSON.parse(readFileSync(corpus, 'utf8')) as {
      faults: { id: string; client?: string }[];
    };
    const played = new Set(faults.filter(({ variants }) => variants.length > 0).map(({ id }) => id));
    const missing = list
      .filter(({ client }) => client !== undefined && client !== 'n/a')
      .map(({ id }) => id)
      .filter(
        (id) => !played.has(id) && elsewhere?.[id] === undefined && notByThisPackageAlone?.[id] === undefined,
      );
    expect(missing).toEqual([]);
  },
);

test('where else a row is held is a file that is there and names it', () => {
  for (const [id, place] of Object.entries(elsewhere ?? {})) {
    const [file = '', title = ''] = place.split(' › ');
    const path = fileURLToPath(new URL(`../../../../${file}`, import.meta.url));
    expect(existsSync(path), `${id}: ${file}`).toBe(true);
    if (title !== '') expect(readFileSync(path, 'utf8'), `${id}: ${title}`).toContain(title);
  }
});
