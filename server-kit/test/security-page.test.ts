import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/security.md', root), 'utf8');
const rows = page.split('\n').filter((line) => /^\| (?:API|LLM)\d+ /.test(line));

test('docs/security.md has every item of both lists of OWASP', () => {
  const items = rows.map((row) => /^\| (\w+)/.exec(row)?.[1]);
  const wanted = ['API', 'LLM'].flatMap((list) =>
    Array.from({ length: 10 }, (_, at) =>
      list === 'API' ? `API${at + 1}` : `LLM${String(at + 1).padStart(2, '0')}`,
    ),
  );
  expect(items).toEqual(wanted);
});

test.each(rows.map((row) => [/^\| (.*?) \|/.exec(row)?.[1] ?? '', row] as const))(
  '%s names tests that exist, or says that there is none',
  (_item, row) => {
    const named = [...row.matchAll(/`([^`]+\.tsx?)` “([^”]+)”/g)];
    if (named.length === 0) expect(row).toContain('| no test: ');
    for (const [, file = '', words = ''] of named) {
      const path = new URL(file, root);
      expect(existsSync(path), file).toBe(true);
      expect(readFileSync(path, 'utf8'), `${file}: ${words}`).toContain(words);
    }
  },
);
