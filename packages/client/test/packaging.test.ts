import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { last, piece } from './samples.ts';
import { lines, serve } from './scripted-server.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../../', import.meta.url));

/** Of what a page loads to ask the kit and read the answer, gzipped. */
const MAX_PAGE_BYTES = 12 * 1024;

let folder: string;

/** Installs a package of ours as its users get it: built, without sources. */
async function install(name: string): Promise<void> {
  const from = join(repository, 'packages', name);
  const to = join(folder, 'node_modules/@ziggie', `llm-${name}`);
  await mkdir(to, { recursive: true });
  await cp(join(from, 'package.json'), join(to, 'package.json'));
  const tsup = join(repository, 'node_modules/tsup/dist/cli-default.js');
  await run(process.execPath, [tsup, '--silent', '--out-dir', join(to, 'dist')], { cwd: from });
}

/** What a page gets that asks one question, minified: the code it starts with, and all of it. */
async function bundleForBrowsers(source: string): Promise<{ start: string; all: string }> {
  const entry = join(folder, 'page.js');
  await writeFile(entry, source);
  const output = await build({
    configFile: false,
    root: folder,
    logLevel: 'silent',
    plugins: [
      {
        name: 'without what Vite itself adds to import()',
        enforce: 'pre',
        load: (id) =>
          id.includes('vite/preload-helper') ? 'export const __vitePreload = (load) => load();' : undefined,
      },
    ],
    build: {
      write: false,
      target: 'es2022',
      rollupOptions: { input: entry },
      modulePreload: { polyfill: false },
    },
  });
  const chunks = [output]
    .flat()
    .flatMap((result) => ('output' in result ? result.output : []))
    .filter((chunk) => chunk.type === 'chunk');
  const start = new Set(chunks.filter(({ isEntry }) => isEntry));
  for (const { imports } of start) {
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) start.add(chunk);
  }
  const textOf = (some: Iterable<(typeof chunks)[number]>): string =>
    [...some].map(({ code }) => code).join('\n');
  return { start: textOf(start), all: textOf(chunks) };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ziggie-client-'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await Promise.all([install('protocol'), install('client')]);
  await cp(
    join(repository, 'packages/protocol/node_modules/eventsource-parser'),
    join(folder, 'node_modules/eventsource-parser'),
    { recursive: true, dereference: true },
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('in Node the built package speaks through node:http', async () => {
  const server = await serve(lines(piece('Hi'), last));
  const script = `
    import { createClient } from '@ziggie/llm-client';
    globalThis.fetch = () => { throw new Error('fetch was called'); };
    const client = createClient({ baseUrl: process.argv[2], target: 'ollama' });
    console.log(await client.chat({ model: 'm', messages: [] }).text());
  `;
  const file = join(folder, 'ask.js');
  await writeFile(file, script);
  const { stdout, stderr } = await run(process.execPath, [file, server.url]);
  expect(stdout).toBe('Hi\n');
  expect(stderr).toBe('');
});

test('a build for browsers holds no module of Node and stays small', async () => {
  const { start, all } = await bundleForBrowsers(`
    import { createClient } from '@ziggie/llm-client';
    globalThis.ask = (url, request) => createClient({ baseUrl: url }).chat(request);
  `);
  expect(start.includes('globalThis.fetch')).toBe(true);
  expect(all.match(/node:|require\(|process\.|Buffer\./)).toBeNull();
  // Telemetry and administration are entries of their own.
  expect(all.match(/gen_ai|opentelemetry|admin\/models/)).toBeNull();
  // Other dialects, the other framing and what only failures need come when they are needed.
  expect(start.match(/prompt_tokens|eval_count|onRetry|RateLimit|api\/embed/)).toBeNull();
  expect(all.match(/prompt_tokens|eval_count|onRetry|RateLimit|api\/embed/g)?.length).toBeGreaterThan(4);
  expect(gzipSync(start).length).toBeLessThanOrEqual(MAX_PAGE_BYTES);
});

test('what is not used is not bundled', async () => {
  const { all: code } = await bundleForBrowsers(`
    import { isZiggieError } from '@ziggie/llm-client';
    globalThis.known = isZiggieError;
  `);
  expect(code.length).toBeLessThan(700);
});
