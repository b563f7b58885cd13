/**
 * A client leaves: how long until its request's connection at the model server is closed. Six phases, real sockets, into
 * LEAVING.md. Client, kit (on Express) and model server share one process and its clock, so one event loop stands in all
 * of the way. Run: node --conditions=@ziggie/source bench/server-kit/leaving.mjs [samples]
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { cpus, getPriority, loadavg } from 'node:os';
import { startGateway } from '../../server-kit/test/faults/gateway.ts';
import { secret, tokenOf } from './caller.mjs';

/** The kit chooses among so many. */
const upstreamCount = 3;
const samples = Number(process.argv[2] ?? 200);
const token = tokenOf();
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Model servers that answer as far as the prompt says, and then say nothing; what happens on them is counted together. */
async function startUpstreams() {
  const state = { isLoaded: true, open: 0, arrived: 0, closedAt: 0 };
  const servers = [];
  for (let at = 0; at < upstreamCount; at++) servers.push(await startUpstream(state));
  return { state, servers };
}

async function startUpstream(state) {
  const entry = { name: 'bench:latest', model: 'bench:latest', details: {} };
  const record = `${JSON.stringify({ model: 'bench:latest', created_at: '2026-01-01T00:00:00Z', message: { role: 'assistant', content: 'one' }, done: false })}\n`;
  const server = createServer((req, res) => {
    if (req.method === 'GET') {
      res.setHeader('content-type', 'application/json');
      res.end(JSON.stringify({ models: req.url === '/api/ps' && !state.isLoaded ? [] : [entry] }));
      return;
    }
    let body = '';
    req.setEncoding('utf8').on('data', (piece) => {
      body += piece;
    });
    req.on('end', () => {
      state.open++;
      state.arrived++;
      res.once('close', () => {
        state.open--;
        state.closedAt = performance.now();
      });
      if (body.includes('stream me')) res.write(record);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${server.address().port}`, server };
}

/** Sends a chat over a socket of its own; `isWhole` false keeps back the end of its body. */
function ask(port, text, { isWhole = true, stream = true } = {}) {
  const body = JSON.stringify({ model: 'bench', stream, messages: [{ role: 'user', content: text }] });
  const head = [
    'POST /llm/chat HTTP/1.1',
    'host: 127.0.0.1',
    `authorization: Bearer ${token}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`${head.join('\r\n')}\r\n\r\n${isWhole ? body : body.slice(0, -5)}`);
  socket.resume();
  return socket;
}

async function until(condition, what) {
  const givesUpAt = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > givesUpAt) throw new Error(`${what} within 5 s`);
    await pause(1);
  }
}

/** What the kit or the model server shows once the request is in the phase, and once it has been let go of. */
const phases = [
  { name: 'body arriving', text: 'wait', isWhole: false, upstream: false },
  { name: 'queued', text: 'wait', upstream: false, queued: true },
  { name: 'loading', text: 'wait', upstream: true, isLoaded: false },
  { name: 'before the first token', text: 'wait', upstream: true },
  { name: 'streaming', text: 'stream me', upstream: true, firstToken: true },
  { name: 'complete answer', text: 'stream me', upstream: true, stream: false },
];

async function measure(phase) {
  const { servers, state } = await startUpstreams();
  const endless = Number.POSITIVE_INFINITY;
  const gateway = await startGateway('Express', {
    upstreams: servers.map(({ url }, at) => ({ url, name: `gpu-${at}`, slots: 1 })),
    auth: { jwt: { secret, issuer: false, audience: false } },
    limits: { requestsPerMinute: endless, requestsPerMinutePerAddress: endless, maxInFlight: endless },
    logger: { info() {}, warn() {}, error: console.error },
  });
  const port = Number(new URL(gateway.url).port);
  const { kit } = gateway;
  const idle = () => kit.gauges().activeRequests === 0 && kit.gauges().queued === 0 && state.open === 0;
  const times = [];
  state.isLoaded = phase.isLoaded ?? true;
  // The first one finds the catalogue out.
  for (let at = -3; at < samples; at++) {
    const ahead = phase.queued ? servers.map(() => ask(port, 'stream me')) : [];
    if (phase.queued) await until(() => state.open === servers.length, 'those ahead did not arrive');
    const before = { arrived: state.arrived, active: kit.gauges().activeRequests };
    const socket = ask(port, phase.text, phase);
    if (phase.firstToken) await until(() => socket.bytesRead > 200, 'no token came');
    else if (phase.upstream)
      await until(() => state.arrived > before.arrived, 'the model server was not asked');
    else if (phase.queued) await until(() => kit.gauges().queued === 1, 'it did not wait');
    else await until(() => kit.gauges().activeRequests > before.active, 'the kit did not see it');
    await pause(1 + Math.random() * 8);
    const leftAt = performance.now();
    socket.resetAndDestroy();
    if (phase.upstream) {
      await until(() => state.open === 0, `${phase.name}: the model server was not let go`);
      times.push(state.closedAt - leftAt);
    } else {
      // There is no connection behind yet: what is let go of is the place.
      const isGone = () => kit.gauges().queued === 0 && kit.gauges().activeRequests === before.active;
      while (!isGone()) {
        if (performance.now() - leftAt > 5000) throw new Error(`${phase.name}: the kit kept it`);
        await new Promise(setImmediate);
      }
      times.push(performance.now() - leftAt);
    }
    for (const one of ahead) one.destroy();
    await until(idle, `${phase.name}: something is left`);
    if (at < 0) times.length = 0;
  }
  await gateway.close();
  for (const { server } of servers) {
    server.closeAllConnections();
    server.close();
  }
  return times.sort((a, b) => a - b);
}

const rows = [];
for (const phase of phases) {
  const times = await measure(phase);
  const quantile = (share) =>
    (times[Math.min(times.length - 1, Math.ceil(times.length * share) - 1)] ?? 0).toFixed(2);
  rows.push(`| ${phase.name} | ${quantile(0.5)} | ${quantile(0.99)} | ${quantile(1)} |`);
  console.log(rows.at(-1));
}
const text = `# A client leaves

From the reset of the client's socket to the end of the request's connection at the model server, in ms; where none is open yet (body arriving, queued), to the moment the kit has let go of its place. ${samples} samples in each phase, over real sockets, on Express, with ${upstreamCount} model servers behind it. Client, kit and model server share one process and its clock. Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.split(' ').slice(0, 2).join(' ')}, load ${loadavg()[0]?.toFixed(1)} while it ran, at nice ${getPriority()}. Made by \`node --conditions=@ziggie/source bench/server-kit/leaving.mjs\`. To hold: p99 ≤ 50 ms.

| the client leaves while | p50 | p99 | longest |
|---|---|---|---|
${rows.join('\n')}

After every sample each gauge of the kit is 0 and the model server has no request open, else the script fails. A load is kept for 10 ms after the last who waited for it has left: the next in line may want it.
`;
writeFileSync(new URL('./LEAVING.md', import.meta.url), text);
