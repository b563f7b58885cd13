// What streams cost in time and memory: the first byte beside a plain pipe, a reader that stops in a long answer, and a
// thousand open streams. The target is a process of its own; memory is its resident set. node server-kit/streams.mjs
import { writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { post, secret, tokenOf } from './caller.mjs';
import { ask, start } from './programs.mjs';

const token = tokenOf();

/** Memory of a target after a collection: its resident set, and what is in use of it. */
const memoryOf = (target) => ask(target, 'memory');

async function open(target, path, content, agent) {
  const body = { model: 'bench', stream: true, messages: [{ role: 'user', content }] };
  const answer = await post(target, path, body, { agent, token });
  if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}`);
  return answer;
}

/** Time from the request to the first byte of its answer, in ms, median of many one after the other. */
async function firstByteMs(target, path) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times = [];
  for (let round = 0; round < 3000; round++) {
    const began = performance.now();
    const answer = await open(target, path, 'short', agent);
    answer.once('data', () => {
      if (round >= 2000) times.push(performance.now() - began);
    });
    await new Promise((resolve) => answer.once('end', resolve));
  }
  agent.destroy();
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
}

const kibibytes = (bytes) => `${(bytes / 1024).toFixed(0)} KiB`;
const mebibytes = (bytes) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
const fast = await start('upstream', [], { EVERY_MS: '20', TOKENS: '200' });
const env = { UPSTREAM: `http://127.0.0.1:${fast.port}`, JWT_SECRET: secret, NODE_ENV: 'production' };
const [pipe, kit] = [await start('pipe', [], env), await start('kit', ['node'], env)];
const first = { pipe: [], kit: [] };
for (let round = 0; round < 3; round++) {
  first.pipe.push(await firstByteMs(pipe, '/api/chat'));
  first.kit.push(await firstByteMs(kit, '/llm/chat'));
}
const middle = (values) => values.toSorted((a, b) => a - b)[1];

// A reader that stops: the model server would write 200 MB as fast as it can.
const stalled = await open(kit, '/llm/chat', 'long answer', new Agent());
stalled.pause();
await sleep(500);
const { rss: before } = await memoryOf(kit);
let most = before;
for (let look = 0; look < 40; look++) {
  await sleep(100);
  most = Math.max(most, (await memoryOf(kit)).rss);
}
const { written } = await ask(fast, 'written');
stalled.destroy();
await sleep(500);

// A thousand streams at once, each with a token a second, after a first thousand that has come and gone.
async function thousand() {
  const agent = new Agent({ maxSockets: 2000 });
  const empty = await memoryOf(kit);
  const answers = await Promise.all(
    Array.from({ length: 1000 }, () => open(kit, '/llm/chat', 'slow', agent)),
  );
  for (const answer of answers) answer.resume();
  await sleep(4000);
  const full = await memoryOf(kit);
  for (const answer of answers) answer.destroy();
  await sleep(2000);
  return { rss: (full.rss - empty.rss) / 1000, used: (full.used - empty.used) / 1000 };
}
const cold = await thousand();
const each = await thousand();

const text = `# Streams

Memory is that of the kit's own process after a collection: its resident set, and where it is said what is in use of it (heap and buffers). Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}.

| what | kit | goal |
|---|---|---|
| first byte of a stream after that of a node:http pipe (${middle(first.pipe).toFixed(2)} ms), one request at a time, median | +${(middle(first.kit) - middle(first.pipe)).toFixed(2)} ms | ≤ 0.35 ms |
| growth while a reader stands still in an answer of 200 MB (${mebibytes(written)} were taken from the model server) | ${mebibytes(most - before)} | ≤ 4 MB |
| each of 1,000 open streams, the first thousand: in use, resident | ${kibibytes(cold.used)}, ${kibibytes(cold.rss)} | ≤ 64 KB |
| each of 1,000 open streams, the second thousand | ${kibibytes(each.used)}, ${kibibytes(each.rss)} | ≤ 64 KB |
`;
console.log(text);
writeFileSync(new URL('./STREAMS.md', import.meta.url), text);
process.exit(0);
