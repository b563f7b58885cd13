import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('every server case of the conformance table, E1 to E69, has a test that is named after it', () => {
  const folder = new URL('./', import.meta.url);
  const sources = readdirSync(folder)
    .filter((name) => /^conformance.*\.test\.ts$/.test(name) && !name.includes('numbers'))
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    .join('\n');
  const named = new Set(
    [...sources.matchAll(/['"][^'"\n]*\bE(\d+) [a-z]/g)].map(([, number]) => Number(number)),
  );
  const missing = Array.from({ length: 69 }, (_, at) => at + 1).filter((number) => !named.has(number));
  expect(missing).toEqual([]);
});
