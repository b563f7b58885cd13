/**
 * What each entry of the packages for browsers costs a page: bundled alone, minified and gzipped, peers left out. An entry
 * that grows by more than 5 % over `.ci/budgets.json` fails; `--write` notes the sizes of today, which is a change that a
 * person looks at.
 *
 * What a page does with them is run, and every file counts that it has loaded by the end, also those that came later.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { fail, root } from './bootstrap.mjs';

const folders = ['packages/protocol', 'packages/client', 'packages/react'];
const budgetsFile = join(root, '.ci/budgets.json');
const ALLOWED_GROWTH = 1.05;

/** One answer, read to its end. Ceilings are promises to users, in bytes. */
const chat = (target) => `import { createClient } from '@ziggie/llm-client';
  globalThis.ask = (url, request) => createClient({ baseUrl: url, target: '${target}' }).chat(request).text();`;
const conversation = `import { createConversation } from '@ziggie/llm-client/conversation';
  const client = (baseUrl) => import('@ziggie/llm-client').then((code) => code.createClient({ baseUrl }));
  globalThis.ask = async (url, { model, messages: [{ content }] }) => {
    const { send, messageIds, message } = createConversation({ client: () => client(url), model });
    await send(content);
    return message(messageIds.get().at(-1)).get().text;
  };`;
const uses = {
  'one streamed chat': { ceiling: 9 * 1024, code: chat('kit') },
  'one streamed chat with Ollama itself': { ceiling: 12.8 * 1024, code: chat('ollama') },
  'one streamed chat with an OpenAI-compatible server': { ceiling: 14.7 * 1024, code: chat('openai') },
  'a conversation of one answer': { ceiling: 24.8 * 1024, code: conversation },
};

/**
 * What an app starts with that takes every name of every entry of the client but two. More than half of it is a client
 * with a conversation, templates and exports, whose functions answer at once and so cannot come late.
 */
const whole = {
  name: 'all of the client but WebSocket and OpenTelemetry, to start with',
  without: ['./websocket', './otel'],
  ceiling: 37.5 * 1024,
};

/**
 * It puts what several files share by the file that imports it, so a list of re-exports brings all that is used of it to
 * all who name it.
 */
const underEsbuild = 'one streamed chat, to start with under esbuild';
const ESBUILD_CEILING = 9.8 * 1024;

/** What a page with React begins with; the ceiling counts everything but React. */
const pages = {
  'the whole chat': { ceiling: 66 * 1024, code: `export { ZiggieChat } from '@ziggie/llm-react';` },
  'the hooks of the chat': {
    ceiling: 14 * 1024,
    code: `export { useBranches, useChat, useComposer, useConnection, useIsRunning, useMessage, useMessageIds, useModels,
      useQueue, useRun, ZiggieProvider } from '@ziggie/llm-react';`,
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
      const { start } = await bundle(`export * from ${file};`, Object.keys(peerDependencies));
      sizes[name + entry.slice(1)] = zipped(start);
    }
  }
  for (const [use, { code, ceiling }] of Object.entries(uses)) {
    sizes[use] = zipped(loadedBy(await bundle(code, [], false)));
    if (sizes[use] > ceiling) problems.push(`${use}: ${sizes[use]} bytes gz, more than ${ceiling}`);
  }
  const entries = Object.keys(manifestOf('packages/client').exports).filter(
    (entry) => !whole.without.includes(entry),
  );
  const everything = entries.map(
    (entry, at) => `import * as e${at} from '@ziggie/llm-client${entry.slice(1)}';`,
  );
  everything.push(`globalThis.everything = [${entries.map((_, at) => `e${at}`).join()}];`);
  sizes[whole.name] = zipped((await bundle(everything.join('\n'), [], false)).start);
  if (sizes[whole.name] > whole.ceiling)
    problems.push(`${whole.name}: ${sizes[whole.name]} bytes gz, more than ${whole.ceiling}`);
  sizes[underEsbuild] = gzipSync(await startUnderEsbuild(uses['one streamed chat'].code), {
    level: 9,
  }).length;
  if (sizes[underEsbuild] > ESBUILD_CEILING)
    problems.push(`${underEsbuild}: ${sizes[underEsbuild]} bytes gz, more than ${ESBUILD_CEILING}`);
  const peers = Object.keys(manifestOf('packages/react').peerDependencies);
  for (const [page, { code, ceiling }] of Object.entries(pages)) {
    sizes[page] = zipped((await bundle(code, peers)).start);
    if (sizes[page] > ceiling) problems.push(`${page}: ${sizes[page]} bytes gz, more than ${ceiling}`);
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

function zipped(chunks) {
  return gzipSync(chunks.map(({ code }) => code).join('\n'), { level: 9 }).length;
}

/**
 * All chunks, and those that a page starts with.
 *
 * @param signature What becomes of the exports of the entry: `false` where it has none, as in the page of an app.
 */
async function bundle(code, peers, signature = 'strict') {
  const input = join(folder, 'entry.js');
  writeFileSync(input, code);
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
      rollupOptions: {
        input,
        preserveEntrySignatures: signature,
        external: (id) => peers.some((peer) => id === peer || id.startsWith(`${peer}/`)),
      },
      // Lists of files to fetch early are of the page, not of what it loads.
      modulePreload: false,
    },
  });
  const all = [output].flat().flatMap((result) => result.output.filter(({ type }) => type === 'chunk'));
  const entry = all.find(({ isEntry }) => isEntry);
  const start = new Set([entry]);
  for (const { imports } of start) {
    for (const chunk of all) if (imports.includes(chunk.fileName)) start.add(chunk);
  }
  return { all, entry, start: [...start] };
}

/** What a page starts with when esbuild splits it. */
async function startUnderEsbuild(code) {
  const entry = join(folder, 'entry.js');
  writeFileSync(entry, code);
  // The one that builds the packages.
  const { build: bundleWith } = createRequire(realpathSync(join(root, 'node_modules/tsup/package.json')))(
    'esbuild',
  );
  const { outputFiles, metafile } = await bundleWith({
    entryPoints: [entry],
    absWorkingDir: folder,
    outdir: join(folder, 'esbuild'),
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    metafile: true,
    write: false,
  });
  const first = Object.keys(metafile.outputs).find(
    (name) => metafile.outputs[name].entryPoint === basename(entry),
  );
  const start = new Set([first]);
  for (const name of start) {
    for (const { kind, path } of metafile.outputs[name].imports)
      if (kind === 'import-statement') start.add(path);
  }
  const texts = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
  return [...start].map((name) => texts.get(basename(name))).join('\n');
}

/** The chunks that one answer has loaded a moment after its end, in a process of its own. */
function loadedBy({ all, entry }) {
  const output = mkdtempSync(join(folder, 'run-'));
  mkdirSync(join(output, 'assets'));
  for (const { fileName, code } of all) writeFileSync(join(output, fileName), code);
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
    const answers = {
      '/chat': ['application/x-ndjson',
        '{"type":"start","id":"r","model":"m","upstreamModel":"m","resumable":false,"seq":0}\\n' +
        '{"type":"text-delta","text":"Hi","seq":1}\\n' +
        '{"type":"done","finishReason":"stop","timings":{},"seq":2}\\n'],
      '/api/chat': ['application/x-ndjson', '{"message":{"content":"Hi"},"done":true}\\n'],
      '/v1/chat/completions': ['text/event-stream',
        'data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\\n\\ndata: [DONE]\\n\\n'],
    };
    globalThis.fetch = async (url) => {
      const [type, body] = answers[new URL(url).pathname];
      return new Response(body, { headers: { 'content-type': type } });
    };
    await import(${JSON.stringify(`./${entry.fileName}`)});
    const request = { model: 'm', messages: [{ role: 'user', content: 'Hello' }] };
    if ((await globalThis.ask('http://host.test', request)) !== 'Hi') throw new Error('The answer is another.');
    await new Promise((resolve) => setTimeout(resolve, 100));
    console.log(JSON.stringify(loaded));
  `;
  writeFileSync(join(output, 'run.mjs'), script);
  const loaded = JSON.parse(execFileSync(process.execPath, [join(output, 'run.mjs')], { encoding: 'utf8' }));
  return all.filter(({ fileName }) => loaded.some((url) => url.endsWith(fileName)));
}
