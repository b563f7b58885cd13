/**
 * What each entry of the packages for browsers costs a page: bundled alone, minified and gzipped, peers left out. An entry
 * that grows by more than 5 % over `.ci/budgets.json` fails; `--write` notes the sizes of today, which is a change that a
 * person looks at.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { fail, root } from './bootstrap.mjs';

const folders = ['packages/protocol', 'packages/client', 'packages/react'];
const budgetsFile = join(root, '.ci/budgets.json');
const ALLOWED_GROWTH = 1.05;

/** What a page brings along that does one thing. Ceilings are promises to users, in bytes. */
const uses = {
  'one streamed chat': {
    ceiling: 24 * 1024,
    code: `import { createClient } from '@ziggie/llm-client';
      globalThis.ask = (url, request) => createClient({ baseUrl: url }).chat(request);`,
  },
};

// Inside the workspace, so that the built packages are found; under node_modules, so that no tool looks at it.
const folder = mkdtempSync(join(root, 'packages/react/node_modules/.sizes-'));
const problems = [];
const manifestOf = (from) => JSON.parse(readFileSync(join(root, from, 'package.json'), 'utf8'));
try {
  const sizes = {};
  for (const from of folders) {
    const { name, exports, peerDependencies = {} } = manifestOf(from);
    for (const [entry, targets] of Object.entries(exports)) {
      if (typeof targets === 'string' || !targets.default.endsWith('.js')) continue;
      const file = JSON.stringify(join(root, from, targets.default));
      sizes[name + entry.slice(1)] = await bundle(`export * from ${file};`, Object.keys(peerDependencies));
    }
  }
  for (const [use, { code, ceiling }] of Object.entries(uses)) {
    sizes[use] = await bundle(code, []);
    if (sizes[use] > ceiling) problems.push(`${use}: ${sizes[use]} bytes gz, more than ${ceiling}`);
  }
  if (process.argv.includes('--write')) writeFileSync(budgetsFile, `${JSON.stringify(sizes, null, 2)}\n`);
  const budgets = JSON.parse(readFileSync(budgetsFile, 'utf8'));
  for (const [what, bytes] of Object.entries(sizes)) {
    const budget = budgets[what];
    if (budget === undefined) problems.push(`${what} has no budget: run "node .ci/check-sizes.mjs --write"`);
    else if (bytes > budget * ALLOWED_GROWTH) {
      const growth = ((bytes / budget - 1) * 100).toFixed(1);
      problems.push(`${what} is ${bytes} bytes gz, ${growth} % over its budget of ${budget}`);
    }
  }
  const kilobytes = (bytes) => (bytes / 1024).toFixed(1).padStart(6);
  for (const [what, bytes] of Object.entries(sizes)) console.log(`  ${kilobytes(bytes)} KiB gz  ${what}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (problems.length > 0) fail(problems.join('\n✗ '));

async function bundle(code, peers) {
  const input = join(folder, 'entry.js');
  writeFileSync(input, code);
  const output = await build({
    configFile: false,
    root: folder,
    logLevel: 'silent',
    build: {
      write: false,
      target: 'es2022',
      rollupOptions: {
        input,
        preserveEntrySignatures: 'strict',
        external: (id) => peers.some((peer) => id === peer || id.startsWith(`${peer}/`)),
      },
      modulePreload: { polyfill: false },
    },
  });
  // Chunks that load later are not part of what a page starts with.
  const chunks = [output].flat().flatMap((result) => result.output);
  const start = chunks.find((chunk) => chunk.type === 'chunk' && chunk.isEntry);
  const needed = new Set([start.fileName]);
  for (const name of needed) {
    for (const next of chunks.find((chunk) => chunk.fileName === name)?.imports ?? []) needed.add(next);
  }
  const text = chunks.filter((chunk) => needed.has(chunk.fileName)).map((chunk) => chunk.code);
  return gzipSync(text.join('\n'), { level: 9 }).length;
}
