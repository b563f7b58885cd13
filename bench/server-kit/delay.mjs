// How much later a token arrives through a gateway: the model server stamps each, readers look at the stamps. The gateway
// has one core to itself, model server and readers share the other; targets in turn, each a fresh process in each round,
// median of the rounds. Into DELAY.md. node bench/server-kit/delay.mjs [rounds]
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { secret, tokenOf } from './caller.mjs';
import { ask, start, stop } from './programs.mjs';

const rounds = Number(process.argv[2] ?? 5);
const everyMs = 20;
const loads = [
  { streams: 200, seconds: 8 },
  { streams: 800, seconds: 8 },
];
const targets = [
  ['none, straight to the model server', undefined, [], '/api/chat'],
  ['node:http pipe', 'pipe', [], '/api/chat'],
  ['nginx', 'nginx', [], '/api/chat'],
  ['kit, node:http', 'kit', ['node'], '/llm/chat'],
];
const token = tokenOf();

const found = new Map();
for (let round = 1; round <= rounds; round++) {
  for (const { streams, seconds } of loads) {
    for (const [name, file, args, path] of targets) {
      const model = await start('stamps', [], { EVERY_MS: everyMs, TOKENS: (seconds * 1000) / everyMs }, 1);
      const readers = await start('readers', [], {}, 1);
      const env = { UPSTREAM: `http://127.0.0.1:${model.port}`, JWT_SECRET: secret, NODE_ENV: 'production' };
      const target = file ? await start(file, args, env, 0) : model;
      const what = { port: target.port, path, token, skip: 50 };
      // What is compiled later is compiled now.
      await ask(readers, { ...what, streams: 100, skip: 0 });
      const result = await ask(readers, { ...what, streams });
      if (result.ended !== streams) throw new Error(`${name}: ${result.ended} of ${streams} streams ended.`);
      const key = `${streams} ${name}`;
      found.set(key, [...(found.get(key) ?? []), result]);
      console.log(
        `${round}. ${streams} streams, ${name}: p50 ${result.p50.toFixed(0)} p99 ${result.p99.toFixed(0)} µs`,
      );
      for (const one of new Set([readers, target, model])) await stop(one);
      await sleep(200);
    }
  }
}

const middle = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const medianOf = (streams, name, what) =>
  middle(found.get(`${streams} ${name}`).map((result) => result[what]));
const direct = targets[0][0];
const added = (streams, name) => medianOf(streams, name, 'p99') - medianOf(streams, direct, 'p99');
const rows = loads.flatMap(({ streams }) =>
  targets.map(([name]) => {
    const own = name === direct ? '' : `${(added(streams, name) / 1000).toFixed(2)}`;
    const ratio = name === direct ? '' : (added(streams, name) / added(streams, 'nginx')).toFixed(1);
    return `| ${streams} × ${1000 / everyMs}/s | ${name} | ${(medianOf(streams, name, 'p50') / 1000).toFixed(2)} | ${(medianOf(streams, name, 'p99') / 1000).toFixed(2)} | ${own} | ${ratio} |`;
  }),
);
const text = `# How much later a token arrives

Each token says when the model server wrote it, by a clock that all processes share. The gateway has one core to itself, model server and readers share the other; median of ${rounds} rounds, in turn, each with a fresh process. All stages of the kit are on. Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}, load ${loadavg()[0].toFixed(1)} at the end. Made by \`node bench/server-kit/delay.mjs\`. To hold: at 200 streams + ≤ 15 ms (p99); at 800 streams ≤ 10 × what nginx adds.

| streams | gateway | p50, ms | p99, ms | added to p99, ms | × nginx |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
console.log(text);
if (rounds >= 3) writeFileSync(new URL('./DELAY.md', import.meta.url), text);
process.exit(0);
