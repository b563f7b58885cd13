import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { done, last, piece, start, text } from './samples.ts';
import { events, lines, reply, serve } from './scripted-server.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../../', import.meta.url));

/** Of what a page loads to ask the kit and read the answer, gzipped. */
const MAX_PAGE_BYTES = 9.5 * 1024;

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
  const { start: code, all } = await bundleForBrowsers(`
    import { createClient } from '@ziggie/llm-client';
    globalThis.ask = (url, request) => createClient({ baseUrl: url }).chat(request);
  `);
  expect(code.includes('globalThis.fetch')).toBe(true);
  expect(all.match(/node:|require\(|process\.|Buffer\./)).toBeNull();
  // Telemetry and administration are entries of their own.
  expect(all.match(/gen_ai|opentelemetry|admin\/models/)).toBeNull();
  // Other dialects, the other framing and what only failures need come when they are needed.
  expect(code.match(/prompt_tokens|eval_count|onRetry|RateLimit|api\/embed/)).toBeNull();
  expect(all.match(/prompt_tokens|eval_count|onRetry|RateLimit|api\/embed/g)?.length).toBeGreaterThan(4);
  expect(gzipSync(code).length).toBeLessThanOrEqual(MAX_PAGE_BYTES);
});

test('what is not used is not bundled', async () => {
  const { all: code } = await bundleForBrowsers(`
    import { isZiggieError } from '@ziggie/llm-client';
    globalThis.known = isZiggieError;
  `);
  expect(code.length).toBeLessThan(700);
});

/** The built files that are there from the start. */
async function startFiles(dist: string, file: string, seen = new Set<string>()): Promise<Set<string>> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const code = await readFile(join(dist, file), 'utf8');
  for (const [, next = ''] of code.matchAll(/(?:from|^import) ?"(\.\.?\/[^"]+)"/gm)) {
    await startFiles(dist, join(dirname(file), next), seen);
  }
  return seen;
}

test('where nothing can be loaded later, the kit still answers, and every failure is one of ours', async () => {
  const server = await serve(
    events(start, text('Hi'), done),
    reply(503, '{}'),
    events({ type: 'error', code: 'queue_full', message: 'Full.' }),
  );
  const bare = join(folder, 'bare');
  await cp(join(folder, 'node_modules'), join(bare, 'node_modules'), { recursive: true });
  const dist = join(bare, 'node_modules/@ziggie/llm-client/dist');
  const kept = await startFiles(dist, 'index.js');
  await startFiles(dist, 'http/platform-transport.node.js', kept);
  for (const file of await readdir(dist, { recursive: true })) {
    if (file.endsWith('.js') && !kept.has(file)) await rm(join(dist, file));
  }
  await writeFile(
    join(bare, 'ask.mjs'),
    `import { createClient, isZiggieError } from '@ziggie/llm-client';
    const seen = [];
    const ask = async (baseUrl, target) => {
      const stream = createClient({ baseUrl, target }).chat({ model: 'm', messages: [] });
      await stream.text().then(
        (text) => seen.push(text),
        (error) => seen.push([isZiggieError(error), error.code, error.status ?? 0, error.attempts.length]),
      );
    };
    await ask(process.argv[2]);
    await ask(process.argv[2]);
    await ask(process.argv[2]);
    await ask('http://127.0.0.1:1');
    await ask(process.argv[2], 'ollama');
    console.log(JSON.stringify(seen));`,
  );
  const { stdout, stderr } = await run(process.execPath, [join(bare, 'ask.mjs'), server.url]);
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual([
    'Hi',
    [true, 'upstream_error', 503, 1],
    [true, 'connect_failed', 0, 1],
    [true, 'connect_failed', 0, 1],
    [true, 'connect_failed', 0, 0],
  ]);
});
