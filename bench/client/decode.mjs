/**
 * CPU to read one streamed chat answer of 50,000 records from memory, beside the floor (decode, split, JSON.parse) and the
 * `ollama` package. One process, round-robin, median of 5; thread CPU time, so a busy machine moves it less than a clock.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { Ollama } from 'ollama';
import { createClient } from '../../packages/client/dist/index.js';

const records = 50_000;
const rounds = 5;
const encoder = new TextEncoder();

const lines = [];
for (let at = 0; at < records; at++) {
  lines.push(
    `{"model":"llama3.2","created_at":"2026-11-23T10:00:00.123456789Z","message":{"role":"assistant","content":" token${at}"},"done":false}\n`,
  );
}
lines.push(
  '{"model":"llama3.2","created_at":"2026-11-23T10:00:01Z","message":{"role":"assistant","content":""},"done":true,' +
    `"done_reason":"stop","total_duration":1000000000,"eval_count":${records},"prompt_eval_count":10,"eval_duration":900000000}\n`,
);
const bytes = encoder.encode(lines.join(''));

/** The answer as a Response in chunks of `size` bytes. */
function answer(size) {
  let at = 0;
  const body = new ReadableStream(
    {
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.subarray(at, at + size));
        at += size;
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { 'content-type': 'application/x-ndjson' } });
}

const messages = [{ role: 'user', content: 'hi' }];
const contenders = {
  'floor (split + JSON.parse)': async (size) => {
    const decoder = new TextDecoder();
    const reader = answer(size).body.getReader();
    let rest = '';
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      rest += decoder.decode(value, { stream: true });
      let end = rest.indexOf('\n');
      if (end === -1) continue;
      let from = 0;
      while (end !== -1) {
        length += JSON.parse(rest.slice(from, end)).message.content.length;
        from = end + 1;
        end = rest.indexOf('\n', from);
      }
      rest = rest.slice(from);
    }
    return length;
  },
  '@ziggie/llm-client': async (size) => {
    const client = createClient({
      baseUrl: 'http://bench.test',
      target: 'ollama',
      fetch: async () => answer(size),
    });
    let length = 0;
    for await (const event of client.chat({ model: 'llama3.2', messages })) {
      if (event.type === 'text-delta') length += event.text.length;
    }
    return length;
  },
  'ollama 0.6.4': async (size) => {
    const client = new Ollama({ host: 'http://bench.test', fetch: async () => answer(size) });
    let length = 0;
    for await (const part of await client.chat({ model: 'llama3.2', messages, stream: true })) {
      length += part.message.content.length;
    }
    return length;
  },
};

const cpuNow = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

const sizes = [64, 65_536];
const rows = [];
for (const size of sizes) {
  const times = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  let expected;
  for (let round = -1; round < rounds; round++) {
    for (const [name, read] of Object.entries(contenders)) {
      globalThis.gc?.();
      const startedAt = cpuNow();
      const length = await read(size);
      const spent = cpuNow() - startedAt;
      expected ??= length;
      if (length !== expected) throw new Error(`${name} read ${length} characters, not ${expected}`);
      if (round >= 0) times[name].push(spent);
    }
  }
  const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
  const floor = median(times['floor (split + JSON.parse)']);
  for (const name of Object.keys(contenders)) {
    const spent = median(times[name]);
    rows.push(`| ${size} B | ${name} | ${spent.toFixed(0)} | ${(spent / floor).toFixed(2)} |`);
  }
}

const text = `# Reading a streamed answer

${records.toLocaleString('en')} NDJSON records of \`/api/chat\` from memory, thread CPU, median of ${rounds} rounds in turn.
Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}. Made by \`client/decode.mjs\`.

| chunk | reader | CPU ms | × floor |
|---|---|---|---|
${rows.join('\n')}
`;
process.stdout.write(text);
writeFileSync(new URL('RESULTS.md', import.meta.url), text);
