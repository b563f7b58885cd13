import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { errorKinds } from '@ziggie/llm-protocol';
import { expect, onTestFinished, test } from 'vitest';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

test.each([
  ['the first program', /```ts\n([\s\S]*?)```/],
  ['the program that keeps a conversation', /```js\n([\s\S]*?)```/],
])('%s runs as it stands', async (name, fence) => {
  const program = fence.exec(readme)?.[1] ?? expect.fail('There is no program.');
  const file = fileURLToPath(new URL(`./readme-${name.length}-${process.pid}.mjs`, import.meta.url));
  await writeFile(file, program);
  onTestFinished(() => rm(file));
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@ziggie/source', '--no-warnings', file],
    { timeout: 30_000 },
  );
  expect(stdout.length).toBeGreaterThan(50);
  expect(stderr).toBe('');
});

test('the table of errors has every code, with its status', () => {
  const rows = [...readme.matchAll(/^\| `([a-z_]+)` +\| (\d*) +\|/gm)].map(([, code, status]) => [
    code,
    status,
  ]);
  expect(rows.map(([code]) => code)).toEqual(Object.keys(errorKinds));
  for (const [code, status] of rows) {
    // Codes that a client finds out by itself come without a status.
    if (status !== '')
      expect([code, status]).toEqual([code, String(errorKinds[code as keyof typeof errorKinds].status)]);
  }
});
