import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EdgeVM } from '@edge-runtime/vm';
import { build } from 'vite';
import { expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const here = fileURLToPath(new URL('.', import.meta.url));

/** One script of everything that `code` imports, as a bundler for an edge runtime makes it: no condition `node`. */
async function bundle(code: string): Promise<string> {
  const id = '\0entries';
  const output = await build({
    configFile: false,
    root: here,
    logLevel: 'silent',
    resolve: { conditions: ['@ziggie/source', 'edge-light', 'module', 'import', 'default'] },
    plugins: [
      {
        name: 'entries',
        resolveId: (source) => (source === 'entries' ? id : null),
        load: (source) => (source === id ? code : null),
      },
    ],
    build: {
      write: false,
      target: 'es2022',
      minify: false,
      rollupOptions: { input: 'entries', output: { format: 'iife', codeSplitting: false } },
      modulePreload: { polyfill: false },
    },
  });
  const chunks = [output].flat().flatMap((result) => ('output' in result ? result.output : []));
  expect(chunks.filter((chunk) => chunk.type === 'chunk')).toHaveLength(1);
  return chunks.map((chunk) => (chunk.type === 'chunk' ? chunk.code : '')).join('');
}

it('every entry loads in an edge runtime, and a conversation streams there, without process, Buffer and window', async () => {
  const files = Object.values(manifest.exports).map((targets) => targets['@ziggie/source']);
  for (const file of files) expect(existsSync(`${here}../../${file}`)).toBe(true);
  const imports = files.map((file, index) => `import * as entry${index} from '../../${file}';`);
  const code = await bundle(`
    ${imports.map((line) => line.replaceAll("'../../", `'${here}../../`)).join('\n')}
    const entries = [${files.map((_, index) => `entry${index}`).join(', ')}];
    const { createClient, createConversation } = Object.assign({}, ...entries);
    globalThis.counts = entries.map((entry) => Object.keys(entry).length);
    globalThis.answer = async (lines) => {
      const fetch = async () => new Response(lines, { headers: { 'Content-Type': 'application/x-ndjson' } });
      const client = createClient({ baseUrl: 'http://kit.test/api', fetch });
      const conversation = createConversation({ client, model: 'm' });
      await conversation.send('Hello');
      const last = conversation.messageIds.get().at(-1);
      return JSON.stringify(conversation.message(last).get());
    };
  `);
  expect(code).not.toMatch(/\brequire\(|from\s*["']node:/);
  const edge = new EdgeVM();
  edge.evaluate(code);
  expect(edge.evaluate('typeof process + typeof Buffer + typeof window')).toBe('undefinedundefinedundefined');
  const counts = edge.evaluate<number[]>('globalThis.counts');
  expect([...counts]).toHaveLength(files.length);
  for (const count of counts) expect(count).toBeGreaterThan(0);
  const lines = [
    { type: 'start', id: 'r', model: 'm', upstreamModel: 'm', resumable: false },
    { type: 'text-delta', text: 'Hi from the edge' },
    { type: 'done', finishReason: 'stop', timings: {} },
  ].map((event, seq) => `${JSON.stringify({ ...event, seq })}\n`);
  const answer = await edge.evaluate<Promise<string>>(`globalThis.answer(${JSON.stringify(lines.join(''))})`);
  expect(JSON.parse(answer)).toMatchObject({ text: 'Hi from the edge', end: { kind: 'complete' } });
});
