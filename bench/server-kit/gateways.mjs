// CPU of a gateway per small request and per streamed token, beside compositions that a team would make by hand.
// Every target is a process of its own, started anew for every round and taken in turn; its CPU time is what it says
// itself (user and system). The median of the rounds counts. node server-kit/gateways.mjs [rounds]
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { cpus } from 'node:os';
import { post, secret, tokenOf } from './caller.mjs';
import { ask, start, stop } from './programs.mjs';

const rounds = Number(process.argv[2] ?? 5);
const only = process.argv[3]?.split(',');
// V8 goes on compiling for some ten thousand requests, the more code a target runs the longer; a gateway runs for days. After
// 15,000 its threads took 12 µs of a request of the kit and 6 of one of the pipe; after 40,000 it was 2 and 7.
const warmUpRequests = Number(process.env.WARM_UP ?? 40_000);
const requests = 6000;
const connections = 20;
const streams = 100;
const tokens = 200;
const everyMs = 20;

const hasNginx = spawnSync('nginx', ['-v']).error === undefined;
const targets = [
  ['node:http pipe', 'pipe', [], '/api'],
  ...(hasNginx ? [['nginx, passes everything on', 'nginx', [], '/api']] : []),
  ['kit, node:http', 'kit', ['node'], '/llm'],
  ['kit, Express 5', 'kit', ['express'], '/llm'],
  ['kit, Fastify 5', 'kit', ['fastify'], '/llm'],
  ['kit, node:http, redactor on', 'kit', ['node', 'redact'], '/llm'],
  ['Express composition', 'express-composition', [], '/api'],
  ['Fastify composition', 'fastify-composition', [], '/api'],
  ['Hono composition', 'hono-composition', [], '/api'],
].filter(([, file]) => only === undefined || only.includes(file));

const token = tokenOf();
const agent = new Agent({ keepAlive: true, maxSockets: connections });

async function read(target, path, body, chosen, onData) {
  const answer = await post(target, path, body, { agent: chosen, token });
  if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}`);
  answer.on('data', onData);
  await once(answer, 'end');
}

const small = {
  model: 'bench',
  stream: false,
  messages: [{ role: 'user', content: 'What is the time?' }],
};
const long = { model: 'bench', messages: [{ role: 'user', content: 'stream me' }] };

async function many(target, path, count) {
  let left = count;
  let bytes = 0;
  const worker = async () => {
    while (left-- > 0)
      await read(target, path, small, agent, (chunk) => {
        bytes += chunk.length;
      });
  };
  await Promise.all(Array.from({ length: connections }, worker));
  if (bytes < count * 50) throw new Error('Answers are missing.');
}

async function stream(target, path) {
  const own = new Agent({ keepAlive: false });
  let seen = 0;
  const marks = /\btoken\b/g;
  const runs = Array.from({ length: streams }, () =>
    read(target, path, long, own, (chunk) => {
      seen += String(chunk).match(marks)?.length ?? 0;
    }),
  );
  await Promise.all(runs);
  if (seen !== streams * tokens) throw new Error(`${seen} tokens of ${streams * tokens} came through.`);
}

const results = new Map(targets.map(([name]) => [name, { request: [], token: [] }]));
for (let round = 0; round < rounds; round++) {
  for (const [name, file, args, prefix] of targets) {
    const upstream = await start('upstream', [], { EVERY_MS: String(everyMs), TOKENS: String(tokens) });
    const target = await start(file, args, {
      UPSTREAM: `http://127.0.0.1:${upstream.port}`,
      JWT_SECRET: secret,
      NODE_ENV: 'production',
    });
    const path = `${prefix}/chat`;
    await many(target, path, warmUpRequests);
    await stream(target, path);
    const before = await ask(target, 'cpu');
    await many(target, path, requests);
    const between = await ask(target, 'cpu');
    await stream(target, path);
    const after = await ask(target, 'cpu');
    if (file !== 'pipe' && file !== 'nginx' && after.usage.tokens === 0)
      throw new Error(`${name} counted no tokens.`);
    results.get(name).request.push((between.cpuMicros - before.cpuMicros) / requests);
    results.get(name).token.push((after.cpuMicros - between.cpuMicros) / (streams * tokens));
    for (const one of [target, upstream]) await stop(one);
  }
  console.log(`round ${round + 1} of ${rounds}`);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const floor = results.get('node:http pipe');
const rows = targets.map(([name]) => {
  const { request: perRequest, token: perToken } = results.get(name);
  const [r, t] = [median(perRequest), median(perToken)];
  const ratio = (value, base) => (floor ? (value / median(base)).toFixed(2) : '–');
  return `| ${name} | ${r.toFixed(0)} | ${ratio(r, floor?.request)} | ${t.toFixed(1)} | ${ratio(t, floor?.token)} |`;
});
const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const named = [
  'express',
  'http-proxy-middleware',
  'express-rate-limit',
  'jose',
  'fastify',
  '@fastify/http-proxy',
  '@fastify/jwt',
  '@fastify/rate-limit',
  'hono',
  '@hono/node-server',
  'hono-rate-limiter',
];
const text = `# Gateways

CPU time of the gateway's own process (user and system), median of ${rounds} rounds; every target a fresh process in every round, taken in turn. Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}.

Small request: POST of a chat with one short answer, ${connections} connections, ${requests.toLocaleString('en')} after ${warmUpRequests.toLocaleString('en')} and one round of streams to warm up. Token: ${streams} streams at once, one token every ${everyMs} ms each (${((streams * 1000) / everyMs).toLocaleString('en')} tokens a second), every token a write of its own; the start and end of the streams are in it.

| target | µs per small request | × pipe | µs per token | × pipe |
|---|---|---|---|---|
${rows.join('\n')}

The pipe is \`node:http\` into \`node:http\` and does nothing else. The kit verifies tokens, counts five limits and a token quota, checks and writes every body anew, turns Ollama's records into events of its own, counts usage and logs each request. The compositions verify an HS256 token, limit the rate in memory and count usage from the terminal record; they pass the body and the records on as they are.

Peers: ${named.map((name) => `${name} ${dependencies[name]}`).join(', ')}.
`;
console.log(text);
if (only === undefined) writeFileSync(new URL('./RESULTS.md', import.meta.url), text);
process.exit(0);
