// Does anything stay behind? After 20,000 streams, 200,000 more, of which one in a hundred goes wrong at the model server
// and another one in a hundred is left by its client: memory after a collection and open handles of the kit's process
// before and after, into SOAK.md. node bench/server-kit/soak.mjs [streams]
import { writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { cpus, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { post, secret, tokenOf } from './caller.mjs';
import { ask, start } from './programs.mjs';

const total = Number(process.argv[2] ?? 200_000);
const warmUp = Math.min(20_000, total / 10);
const atOnce = 32;
const users = 16;
const tokens = Array.from({ length: users }, (_, at) => tokenOf(`user-${at}`));

const surfaces = ['/llm/chat', '/llm/api/chat', '/llm/v1/chat/completions', '/llm/v1/messages'];
const outcomes = { whole: 0, failed: 0, left: 0, refused: 0 };
/** The last record of each surface. */
const isWhole = (text) => /"type":"done"|"done":true|\[DONE\]|message_stop/.test(text);

/** One stream, read to its end, or left in its middle. */
async function stream(target, agent, number) {
  const leaves = number % 100 === 50;
  const body = {
    model: 'bench',
    stream: true,
    max_tokens: 16,
    messages: [{ role: 'user', content: 'hello' }],
  };
  const token = tokens[number % users];
  const answer = await post(target, surfaces[number % surfaces.length], body, { agent, token });
  let text = '';
  answer.setEncoding('utf8');
  answer.on('data', (piece) => {
    text += piece;
    if (leaves) answer.destroy();
  });
  answer.on('error', () => {});
  await new Promise((resolve) => answer.once('close', resolve));
  if (leaves) outcomes.left++;
  else if (answer.statusCode !== 200) outcomes.refused++;
  else outcomes[isWhole(text) ? 'whole' : 'failed']++;
}

let made = 0;
async function run(target, count) {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const end = made + count;
  const one = async () => {
    while (made < end) await stream(target, agent, made++);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  agent.destroy();
}

/** When nothing runs any more: answers whose client has left are written on for their grace. */
async function look(kit) {
  for (let waited = 0; ; waited++) {
    const { gauges } = await ask(kit, 'memory');
    if (gauges.activeRequests === 0 && gauges.openUpstream === 0 && gauges.queued === 0) break;
    if (waited > 60) throw new Error(`Something still runs after a minute: ${JSON.stringify(gauges)}`);
    await sleep(1000);
  }
  await sleep(3000);
  return ask(kit, 'memory');
}

const faulty = await start('faulty');
const kit = await start('kit', ['node'], {
  UPSTREAM: `http://127.0.0.1:${faulty.port}`,
  JWT_SECRET: secret,
  NODE_ENV: 'production',
});
await run(kit, warmUp);
const before = await look(kit);
const began = performance.now();
const steps = [];
for (let step = 1; step <= 5; step++) {
  await run(kit, total / 5);
  const { heap, handles } = await look(kit);
  steps.push(heap);
  console.log(
    `${made - warmUp} streams: heap +${((heap - before.heap) / 2 ** 20).toFixed(2)} MiB`,
    JSON.stringify(handles),
  );
}
const after = await look(kit);
const seconds = (performance.now() - began) / 1000;
const { faults } = await ask(faulty, 'counts');
const growth = after.heap - before.heap;
const handlesOf = ({ handles }) =>
  Object.entries(handles)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ');

const text = `# What stays behind

After ${warmUp} streams, ${total} more over four surfaces, ${atOnce} at once, of ${users} users; one in a hundred goes wrong at the model server (${faults} in all, eight kinds in turn), another one in a hundred is left by its client. All stages of the kit are on, answers can be resumed. Heap of the kit's own process in use after a collection, when nothing runs. Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}, load ${loadavg()[0].toFixed(1)} at the end, ${Math.round(total / seconds)} streams a second. Made by \`node bench/server-kit/soak.mjs\`.

| what | before | after | to hold |
|---|---|---|---|
| heap in use | ${(before.heap / 2 ** 20).toFixed(2)} MiB | ${(after.heap / 2 ** 20).toFixed(2)} MiB (${growth > 0 ? '+' : ''}${(growth / 2 ** 20).toFixed(2)}) | + ≤ 2 MiB |
| resident | ${(before.rss / 2 ** 20).toFixed(0)} MiB | ${(after.rss / 2 ** 20).toFixed(0)} MiB | |
| handles | ${handlesOf(before)} | ${handlesOf(after)} | equal |

In fifths the heap was ${steps.map((heap) => `${(heap / 2 ** 20).toFixed(2)}`).join(', ')} MiB. Of all ${made}: ${outcomes.whole} whole, ${outcomes.failed} broke off and said so, ${outcomes.refused} were refused with an error, ${outcomes.left} were left. Gauges at the end: ${JSON.stringify(after.gauges)}.
`;
console.log(text);
if (total >= 200_000) writeFileSync(new URL('./SOAK.md', import.meta.url), text);
process.exit(growth <= 2 * 2 ** 20 && handlesOf(before) === handlesOf(after) ? 0 : 1);
