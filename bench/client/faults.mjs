/**
 * How each client takes 24 faults of a server, over real sockets on 127.0.0.1: the stand-in plays the server (and
 * `faults/records.mjs` where it does not speak the wire), each client runs in a process of its own with its defaults, and
 * every case has a limit after which that process is killed. Writes FAULTS.md.
 *
 * node --expose-gc client/faults.mjs [part of a client's name] [part of a row's name]
 */
import { fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { startFakeOllama, startFakeOpenAI } from '../../packages/testing/dist/node.js';
import { clients } from './faults/clients.mjs';
import { startRecords } from './faults/records.mjs';
import { rows } from './faults/rows.mjs';

const LIMIT_MS = 20_000;
const [onlyClient = '', onlyRow = ''] = process.argv.slice(2);
const isWhole = onlyClient === '' && onlyRow === '';

/** A process of one client, started anew after it had to be killed. */
class Contender {
  #name;
  #child;

  constructor(name) {
    this.#name = name;
  }

  async #start() {
    const child = fork(new URL('./faults/child.mjs', import.meta.url), [], {
      execArgv: ['--expose-gc', '--no-warnings'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', (code) => reject(new Error(`${this.#name}: its process ended with ${code}`)));
    });
    child.removeAllListeners('exit');
    return child;
  }

  async do(task, limitMs) {
    this.#child ??= await this.#start();
    const child = this.#child;
    return new Promise((resolve) => {
      const end = (outcome) => {
        clearTimeout(timer);
        child.removeAllListeners('message');
        child.removeAllListeners('exit');
        resolve(outcome);
      };
      const drop = (outcome) => {
        this.#child = undefined;
        child.kill('SIGKILL');
        end(outcome);
      };
      const timer = setTimeout(() => drop({ limit: true, logged: [], unhandled: 0, ms: limitMs }), limitMs);
      child.once('message', end);
      child.once('exit', (code) => {
        drop({
          error: { name: `the process ended with ${code}`, raw: true },
          text: '',
          logged: [],
          unhandled: 0,
          ms: 0,
        });
      });
      child.send({ client: this.#name, ...task });
    });
  }

  stop() {
    this.#child?.kill();
    this.#child = undefined;
  }
}

/** A server for this wire, with one face for the stand-ins and our own records. */
async function serve(wire) {
  if (!['ollama', 'openai', 'anthropic'].includes(wire)) return startRecords(wire);
  const start = wire === 'openai' ? startFakeOpenAI : startFakeOllama;
  const server = await start({
    tokensPerSecond: Infinity,
    ...(wire === 'openai' ? {} : { slotsPerModel: 8 }),
  });
  const { fake } = server;
  return {
    url: server.url,
    script: (steps, times = 1) => fake.script(steps, { times }),
    report() {
      const { requests, disconnects } = fake.report();
      return {
        requests: requests.length,
        left: disconnects.map(({ disconnectedAt }) => performance.timeOrigin + disconnectedAt),
      };
    },
    close: () => server.close(),
  };
}

const questions = {
  ollama: ['/api/chat', {}],
  openai: ['/v1/chat/completions', {}],
  anthropic: ['/v1/messages', { max_tokens: 4096 }],
};

/** A good answer of this wire as it goes over the line. */
async function recorded(wire, steps = [{ kind: 'say', text: 'The answer is 42.' }]) {
  const server = await serve(wire);
  server.script(steps);
  const [path, more] = questions[wire] ?? ['/chat', {}];
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'stand-in',
      stream: true,
      messages: [{ role: 'user', content: 'hi' }],
      ...more,
    }),
  });
  const raw = await response.text();
  await server.close();
  return { raw, headers: { 'content-type': response.headers.get('content-type') } };
}

const recordings = Object.fromEntries(
  await Promise.all(
    [...new Set(Object.values(clients).map(({ wire }) => wire))].map(async (wire) => [
      wire,
      await recorded(wire),
    ]),
  ),
);

async function run(contender, name, row) {
  const { wire } = clients[name];
  const task = { act: row.act ?? 'read', model: row.model ?? 'stand-in' };
  let outcome;
  let seen;
  if (row.sizes) {
    const large = {};
    for (const [size, mebibytes] of Object.entries(row.sizes))
      large[size] = await recorded(wire, row.script(mebibytes));
    outcome = await contender.do({ ...task, recordings: large, sliceBytes: row.sliceBytes }, row.limitMs);
  } else {
    const server = await serve(wire);
    server.script(row.script(wire, recordings[wire]), row.times);
    if (row.next) server.script(row.next(), Infinity);
    outcome = await contender.do({ ...task, url: server.url }, row.limitMs ?? LIMIT_MS);
    // Whether the server hears of a client that went is known a second later at the latest.
    if (outcome.leftAt !== undefined) await new Promise((resolve) => setTimeout(resolve, 1_100));
    seen = server.report();
    await server.close();
  }
  const [isRight, how] = row.judge(outcome, seen);
  const rejected = outcome.unhandled > 0 ? `, ${outcome.unhandled} unhandled` : '';
  if (process.env.VERBOSE) console.error(JSON.stringify({ name, row: row.name, ...outcome }).slice(0, 400));
  return { isRight, how: how + rejected };
}

const names = Object.keys(clients).filter((name) => name.includes(onlyClient));
const chosen = rows.filter(({ name }) => name.includes(onlyRow));
const results = Object.fromEntries(names.map((name) => [name, {}]));

async function runAll(name, wanted) {
  const contender = new Contender(name);
  for (const row of wanted) {
    results[name][row.name] = await run(contender, name, row);
    const { isRight, how } = results[name][row.name];
    console.error(`${isRight ? 'right' : 'WRONG'}  ${name}  ${row.name}: ${how}`);
  }
  contender.stop();
}

// CPU is measured alone; the long wait for silence goes on beside everything else.
const isLong = ({ limitMs, sizes }) => limitMs !== undefined && !sizes;
await Promise.all([
  ...names.map((name) => runAll(name, chosen.filter(isLong))),
  (async () => {
    for (const name of names)
      await runAll(
        name,
        chosen.filter((row) => !row.sizes && !isLong(row)),
      );
  })(),
]);
for (const name of names)
  await runAll(
    name,
    chosen.filter(({ sizes }) => sizes),
  );

function versionOf(name) {
  const root = name.startsWith('@ziggie/') ? '../../packages/client' : `../node_modules/${name}`;
  return JSON.parse(readFileSync(new URL(`${root}/package.json`, import.meta.url), 'utf8')).version;
}

const score = (name) => chosen.filter((row) => results[name][row.name].isRight).length;
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const report = `# How clients take the faults of a server

${rows.length} faults over real sockets on 127.0.0.1, each client in a process of its own with its default settings, each case
with a limit (${LIMIT_MS / 1000} s unless the row says otherwise) after which the process is killed. The stand-in plays the server;
AG-UI and the kit's wire, which it does not speak, are played by \`faults/records.mjs\` with the same steps; only the two rows of one
large record come from memory, for sockets merge small pieces. AI SDK is read
through \`fullStream\`, TanStack through its connection adapter; a failure that they hand over as an event counts as told.
Node ${process.version}. Made by \`client/faults.mjs\`.

| client | wire | right |
|---|---|---|
${names
  .toSorted((a, b) => score(b) - score(a))
  .map((name) => {
    const { of, with: also, wire } = clients[name];
    const versions = [of, also].filter(Boolean).map((one) => `${one} ${versionOf(one)}`);
    return `| ${name} (${versions.join(', ')}) | ${wire} | **${score(name)}/${chosen.length}** |`;
  })
  .join('\n')}

What counts as right stands under each fault. A class of the library is one that a program can tell from a plain \`Error\`,
\`TypeError\` or \`SyntaxError\`. "n unhandled" are rejections that nobody could catch; they are noted and not counted. Over a
WebSocket our own client plays its rows in \`packages/client/test/faults/websocket.test.ts\`; the peers speak no WebSocket here.

${chosen
  .map(
    (row) => `## ${row.name}

Right: ${row.rule}.

| client | | what was seen |
|---|---|---|
${names.map((name) => `| ${name} | ${results[name][row.name].isRight ? 'right' : '**wrong**'} | ${cell(results[name][row.name].how)} |`).join('\n')}
`,
  )
  .join('\n')}`;
if (isWhole) writeFileSync(new URL('FAULTS.md', import.meta.url), report);
for (const name of names) console.log(`${String(score(name)).padStart(3)}/${chosen.length}  ${name}`);
