// CPU of a gateway per small request and per streamed token, beside compositions that a team would make by hand.
// Every target is a process of its own, started anew for every round and taken in turn; its CPU time is what it says
// itself (user and system). The median of the rounds counts. node server-kit/gateways.mjs [rounds]
import { fork, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpus } from 'node:os';

const rounds = Number(process.argv[2] ?? 5);
const only = process.argv[3]?.split(',');
// V8 goes on compiling for some ten thousand requests, the more code a target runs the longer; a gateway runs for days.
const warmUpRequests = Number(process.env.WARM_UP ?? 12_000);
const requests = 6000;
const connections = 20;
const streams = 100;
const tokens = 200;
const everyMs = 20;
const secret = 'wF3v9Qm1xZk7Lr2TbN8yHs5DcJ6pGa4U+eK0iOqXnYt=';

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

const base64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const signed = `${base64({ alg: 'HS256', typ: 'JWT' })}.${base64({ sub: 'ada', roles: ['user'], exp: Math.floor(Date.now() / 1000) + 36_000 })}`;
const token = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;

function start(file, args, env) {
  const child = fork(new URL(`./targets/${file}.mjs`, import.meta.url), args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.add(child);
  return new Promise((resolve, reject) => {
    child.once('message', ({ port }) => resolve({ child, port }));
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
  });
}

const ask = (child, what) =>
  new Promise((resolve) => {
    child.once('message', resolve);
    child.send(what);
  });

const agent = new Agent({ keepAlive: true, maxSockets: connections });

function post(port, path, body, onData, chosen = agent) {
  return new Promise((resolve, reject) => {
    const out = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: 'POST',
        agent: chosen,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      (answer) => {
        if (answer.statusCode !== 200) reject(new Error(`${path} answered ${answer.statusCode}`));
        answer.on('data', onData);
        answer.on('end', resolve);
        answer.on('error', reject);
      },
    );
    out.on('error', reject);
    out.end(body);
  });
}

const small = JSON.stringify({
  model: 'bench',
  stream: false,
  messages: [{ role: 'user', content: 'What is the time?' }],
});
const long = JSON.stringify({ model: 'bench', messages: [{ role: 'user', content: 'stream me' }] });

async function many(port, path, count) {
  let left = count;
  let bytes = 0;
  const worker = async () => {
    while (left-- > 0)
      await post(port, path, small, (chunk) => {
        bytes += chunk.length;
      });
  };
  await Promise.all(Array.from({ length: connections }, worker));
  if (bytes < count * 50) throw new Error('Answers are missing.');
}

async function stream(port, path) {
  const own = new Agent({ keepAlive: false });
  let seen = 0;
  const marks = /\btoken\b/g;
  const runs = Array.from({ length: streams }, () =>
    post(
      port,
      path,
      long,
      (chunk) => {
        seen += String(chunk).match(marks)?.length ?? 0;
      },
      own,
    ),
  );
  await Promise.all(runs);
  if (seen !== streams * tokens) throw new Error(`${seen} tokens of ${streams * tokens} came through.`);
}

const children = new Set();
// Whatever fails here must not leave processes behind.
process.on('exit', () => {
  for (const child of children) child.kill();
});

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
    await many(target.port, path, warmUpRequests);
    await stream(target.port, path);
    const before = await ask(target.child, 'cpu');
    await many(target.port, path, requests);
    const between = await ask(target.child, 'cpu');
    await stream(target.port, path);
    const after = await ask(target.child, 'cpu');
    if (file !== 'pipe' && file !== 'nginx' && after.usage.tokens === 0)
      throw new Error(`${name} counted no tokens.`);
    results.get(name).request.push((between.cpuMicros - before.cpuMicros) / requests);
    results.get(name).token.push((after.cpuMicros - between.cpuMicros) / (streams * tokens));
    for (const { child } of [target, upstream]) {
      child.removeAllListeners('exit');
      child.kill();
    }
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
