/**
 * What the cache costs and brings: CPU of the kit per answer, and per token where an answer is long, for a kit without a
 * cache and for one with, by what the cache does with the request. The model server is a process of its own; the kit is
 * called directly, so the difference is the cache's and nobody else's. Writes CACHE.md.
 * Run: node bench/server-kit/cache.mjs [rounds], after a build.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { createServerKit } from '../../server-kit/dist/index.js';
import { handle } from './caller.mjs';
import { start, stop } from './programs.mjs';

const rounds = Number(process.argv[2] ?? 7);
const model = await start('burst');
const much = 1_000_000_000;
const kitWith = (cache) =>
  createServerKit({
    upstreams: [{ url: `http://127.0.0.1:${model.port}`, slots: 1000 }],
    authenticate: () => ({ id: 'ada', roles: ['user'], tenant: 'acme' }),
    limits: { requestsPerMinute: much, requestsPerMinutePerAddress: much, maxInFlight: much },
    doctor: false,
    cache,
  });
// One for each way, so that none pays for what another has kept.
const kits = {
  off: kitWith(undefined),
  bypass: kitWith({}),
  miss: kitWith({}),
  hit: kitWith({}),
  shares: kitWith({ keep: false }),
};
let number = 0;
const body = (tokens, options) => ({
  model: 'bench',
  messages: [{ role: 'user', content: 'What is a lease?' }],
  options: { num_predict: tokens, ...options },
});
const ask = async (kit, asked) => {
  const response = await handle(kit, '/chat', asked);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${response.status} ${text}`);
  return response.headers.get('x-ziggie-cache');
};
/** Ways to be answered: one call is `answers` answers, each of which must come as it says. */
const ways = {
  'no cache': { cache: null, answers: 1, run: (tokens) => ask(kits.off, body(tokens, { seed: 1 })) },
  'bypass (it samples)': {
    cache: 'bypass',
    answers: 1,
    run: (tokens) => ask(kits.bypass, body(tokens, {})),
  },
  'miss, then kept': {
    cache: 'miss',
    answers: 1,
    run: (tokens) => ask(kits.miss, body(tokens, { seed: ++number })),
  },
  hit: { cache: 'hit', answers: 1, run: (tokens) => ask(kits.hit, body(tokens, { seed: 0 })) },
  'ten share a generation': {
    cache: 'coalesced',
    answers: 10,
    run: async (tokens) => {
      const asked = body(tokens, { seed: ++number });
      const all = await Promise.all(Array.from({ length: 10 }, () => ask(kits.shares, asked)));
      return all.find((cache) => cache !== 'miss');
    },
  },
};
const cases = {
  'an answer of 8 tokens': { tokens: 8, calls: 400 },
  'one of 2,000 tokens': { tokens: 2000, calls: 12 },
};
const lines = [];
for (const [name, { tokens, calls }] of Object.entries(cases)) {
  await ask(kits.hit, body(tokens, { seed: 0 }));
  const costs = new Map(Object.keys(ways).map((way) => [way, []]));
  for (let round = -1; round < rounds; round++) {
    // Another one is first each time.
    const turned = Object.entries(ways);
    turned.push(...turned.splice(0, (round + 5) % turned.length));
    for (const [way, { run, answers, cache }] of turned) {
      const began = process.cpuUsage();
      const times = Math.ceil(calls / answers);
      for (let at = 0; at < times; at++) {
        const seen = await run(tokens);
        if (seen !== cache) throw new Error(`${way}: ${seen}`);
      }
      const { user, system } = process.cpuUsage(began);
      // The first round warms up.
      if (round >= 0) costs.get(way).push((user + system) / (times * answers));
    }
  }
  const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
  const plain = median(costs.get('no cache'));
  for (const [way, list] of costs) {
    const cost = median(list);
    lines.push(`| ${name} | ${way} | ${Math.round(cost)} µs | ${(cost / plain).toFixed(2)} × |`);
    console.log(name, '·', way, '·', `${Math.round(cost)} µs`, `${(cost / plain).toFixed(2)} ×`);
  }
}
writeFileSync(
  new URL('CACHE.md', import.meta.url),
  `# What the cache costs and brings

CPU of the process with the kit per answer, asked in process (no door, no socket to the client), one after the other; the
model server is another process, so what a hit saves there is not in it. Medians of ${rounds} rounds; the ratios are within one
run. Node ${process.version} on ${cpus()[0]?.model ?? 'a CPU'}. Made by \`node bench/server-kit/cache.mjs\`.

| | what the cache does | CPU per answer | beside a kit without |
|---|---|---:|---:|
${lines.join('\n')}
`,
);
for (const kit of Object.values(kits)) await kit.close({ drainMs: 0 });
await stop(model);
