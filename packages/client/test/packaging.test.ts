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

/** Of everything that `createClient` brings along, gzipped: every dialect and both framings. */
const MAX_PAGE_BYTES = 23 * 1024;

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

/** What a page gets that asks one question: one minified file. */
async function bundleForBrowsers(source: string): Promise<string> {
  const entry = join(folder, 'page.js');
  await writeFile(entry, source);
  const output = await build({
    configFile: false,
    root: folder,
    logLevel: 'silent',
    build: {
      write: false,
      target: 'es2022',
      rollupOptions: { input: entry },
      modulePreload: { polyfill: false },
    },
  });
  const chunks = [output].flat().flatMap((result) => ('output' in result ? result.output : []));
  return chunks.map((chunk) => (chunk.type === 'chunk' ? chunk.code : '')).join('\n');
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
  const code = await bundleForBrowsers(`
    import { createClient } from '@ziggie/llm-client';
    globalThis.ask = (url, request) => createClient({ baseUrl: url }).chat(request);
  `);
  expect(code.includes('globalThis.fetch')).toBe(true);
  expect(code.match(/node:|require\(|process\.|Buffer\./)).toBeNull();
  // Telemetry and administration are entries of their own.
  expect(code.match(/gen_ai|opentelemetry|admin\/models/)).toBeNull();
  expect(gzipSync(code).length).toBeLessThanOrEqual(MAX_PAGE_BYTES);
});

test('what is not used is not bundled', async () => {
  const code = await bundleForBrowsers(`
    import { isZiggieError } from '@ziggie/llm-client';
    globalThis.known = isZiggieError;
  `);
  expect(code.length).toBeLessThan(700);
});
