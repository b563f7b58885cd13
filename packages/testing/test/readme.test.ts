import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fault } from '../src/index.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const programs = [...readme.matchAll(/## (.+)\n[^#]*?```ts\n([\s\S]*?)```/g)].map(([, title, code]) => [
  title as string,
  code as string,
]);
const all = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(
  ([, code], at) => [at + 1, code as string] as const,
);

describe('the README', () => {
  it('has a program under most of its headings', () => {
    expect(all.length).toBeGreaterThanOrEqual(8);
    expect(programs.length).toBeGreaterThanOrEqual(6);
  });

  it.each(all)('program %i runs as it stands', async (number, code) => {
    const file = fileURLToPath(new URL(`./readme-${number}-${process.pid}.mjs`, import.meta.url));
    await writeFile(file, code);
    onTestFinished(() => rm(file));
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--conditions=@ziggie/source', '--no-warnings', file],
      { timeout: 30_000 },
    );
    expect(stdout.trim()).not.toBe('');
    expect(stderr).toBe('');
  });

  it('names only faults that can be played', () => {
    const named = [...readme.matchAll(/fault\('(F\d+)'(?:, '([^']+)')?\)/g)];
    expect(named.length).toBeGreaterThan(25);
    for (const [, id, variant] of named) expect(fault(id as string, variant)).not.toHaveLength(0);
  });
});
