/**
 * What asking a second model server brings when machines stall now and then: time to the first token with and without,
 * and how much more the servers are asked; real sockets, the kit in process, into HEDGING.md.
 * Run: node --conditions=@ziggie/source bench/server-kit/hedging.mjs [requests]
 */
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { say, stall } from '../../packages/testing/src/index.ts';
import { startFakeOllama } from '../../packages/testing/src/node.ts';
import { createServerKit } from '../../server-kit/src/index.ts';
import { randomFrom } from '../../server-kit/test/queue/random.ts';
import { handle } from './caller.mjs';

const requests = Number(process.argv[2] ?? 600);
const atOnce = 6;
const endless = Number.POSITIVE_INFINITY;
const prefillMs = 40;
const stallMs = 1500;

/** Three machines that each stall with one of thirty questions. */
async function startGpus(seed) {
  const random = randomFrom(seed);
  const gpus = [];
  for (let at = 0; at < 3; at++) {
    const gpu = await startFakeOllama({ tokensPerSecond: endless, slotsPerModel: 64 });
    for (let request = 0; request < requests * 2; request++) {
      const isSlow = random() < 1 / 30;
      const firstMs = prefillMs * (0.75 + random() * 0.5) + (isSlow ? stallMs : 0);
      gpu.fake.script([stall(firstMs), say('An answer of some words.')], { contains: 'question' });
    }
    await (
      await fetch(`${gpu.url}/api/generate`, { method: 'POST', body: JSON.stringify({ model: 'stand-in' }) })
    ).text();
    gpus.push(gpu);
  }
  return gpus;
}

async function play(hedging, seed) {
  const gpus = await startGpus(seed);
  const kit = createServerKit({
    upstreams: gpus.map(({ url }, at) => ({ url, name: `gpu-${at}`, slots: 16 })),
    authenticate: () => ({ id: 'ada', roles: ['admin'] }),
    limits: { requestsPerMinute: endless, requestsPerMinutePerAddress: endless, maxInFlight: endless },
    doctor: false,
    ...(hedging ? { hedging } : {}),
  });
  await (await handle(kit, '/models')).text();
  const times = [];
  let sent = 0;
  const user = async () => {
    while (sent < requests) {
      sent++;
      const since = performance.now();
      const response = await handle(kit, '/chat', {
        model: 'stand-in',
        messages: [{ role: 'user', content: 'a question' }],
      });
      let firstAt;
      let text = '';
      for await (const chunk of response.body) {
        text += Buffer.from(chunk).toString();
        if (firstAt === undefined && text.includes('text-delta')) firstAt = performance.now();
      }
      if (!text.includes('"type":"done"')) throw new Error(`not whole: ${text.slice(-300)}`);
      times.push(firstAt - since);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, user));
  const { upstreams } = await (await handle(kit, '/admin/upstreams')).json();
  const attempts = upstreams.reduce((sum, one) => sum + one.attempts, 0);
  await kit.close({ drainMs: 0 });
  for (const gpu of gpus) await gpu.close();
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.ceil(times.length * share) - 1];
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), extra: attempts / requests - 1 };
}

const rows = [];
let base;
for (const [name, hedging] of [
  ['off', undefined],
  ['after 100 ms', { afterMs: 100 }],
  ['learned', {}],
]) {
  const { p50, p95, p99, extra } = await play(hedging, 7);
  base ??= p99;
  rows.push(
    `| ${name} | ${p50.toFixed(0)} | ${p95.toFixed(0)} | ${p99.toFixed(0)} | ${(p99 / base).toFixed(2)} | ${(extra * 100).toFixed(1)} % |`,
  );
  console.log(rows.at(-1));
}
writeFileSync(
  new URL('./HEDGING.md', import.meta.url),
  `# Asking a second server

${requests} questions, ${atOnce} at once, three machines with the model in memory and a first token after about ${prefillMs} ms; each takes ${stallMs} ms longer for one of thirty. Real sockets, the kit in process. Node ${process.version}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)} while it ran. Made by \`node --conditions=@ziggie/source bench/server-kit/hedging.mjs\`.

| hedging | first token: p50, ms | p95, ms | p99, ms | p99 against off | more requests to the machines |
|---|---|---|---|---|---|
${rows.join('\n')}

Second tries come out of the budget of one in ten requests, so a machine that is slow more often than that is not hidden; learned, the time is what 19 of 20 first tokens took, and the first twenty questions are not hedged.
`,
);
