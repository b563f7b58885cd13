import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { expect, onTestFinished, test } from 'vitest';

const page = readFileSync(new URL('../../../docs/coming-from.md', import.meta.url), 'utf8');
const programs = page
  .split(/^## /m)
  .slice(1)
  .flatMap((section) => {
    const name = section.slice(0, section.indexOf('\n'));
    return [...section.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => [name, code] as const);
  });

test('the page has a program for each place one can come from', () => expect(programs).toHaveLength(3));

test.each(programs)('the program for people who come %s runs as it stands', async (name, code) => {
  const server = await startFakeOllama({ tokensPerSecond: Infinity });
  onTestFinished(() => server.close());
  const file = fileURLToPath(new URL(`./coming-${name.length}-${process.pid}.mts`, import.meta.url));
  await writeFile(file, code);
  onTestFinished(() => rm(file));
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@ziggie/source', '--no-warnings', file],
    { timeout: 30_000, env: { ...process.env, OLLAMA_HOST: server.url, MODEL: 'stand-in' } },
  );
  expect(stdout.length).toBeGreaterThan(20);
  expect(stderr).toBe('');
});
