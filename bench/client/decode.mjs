/**
 * CPU to read a streamed answer from memory, each client through its public way of streaming, beside the floor: decode,
 * split, JSON.parse. One process, in turn, median of 5; thread CPU time, so a busy machine moves it less than a clock.
 *
 * Then one record of 2 and of 8 MiB: four times the bytes should cost about four times as much.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { createClient } from '../../packages/client/dist/index.js';
import { floorName, readers } from './readers.mjs';
import { answer, wires } from './wires.mjs';

const records = Number(process.env.RECORDS ?? 50_000);
const rounds = 5;
const repeats = 5;
const sizes = [64, 65_536];
/** With `ONLY=ours` the peers rest: for work on our own path. Nothing is written then. */
const only = process.env.ONLY === 'ours';

const cpuNow = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

/**
 * Each round begins without the garbage of the one before. A collection of everything would also throw away the machine
 * code of readers that have no object left, and what is measured then is the compiler.
 */
const tidy = () => globalThis.gc?.({ type: 'minor' });

function versionOf(name) {
  if (name === floorName) return name;
  const root = name.startsWith('@ziggie/') ? '../../packages/client' : `../node_modules/${name}`;
  const { version } = JSON.parse(readFileSync(new URL(`${root}/package.json`, import.meta.url), 'utf8'));
  return `${name} ${version}`;
}

/** Milliseconds of CPU by reader: the median of the rounds, or why it did not read. */
async function measure(contenders, bytes, size, expected) {
  const times = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  const failures = {};
  for (let round = -1; round < rounds; round++) {
    for (const [name, read] of Object.entries(contenders)) {
      if (failures[name]) continue;
      tidy();
      const startedAt = cpuNow();
      try {
        const length = await read(bytes, size);
        const spent = cpuNow() - startedAt;
        if (length !== expected) throw new Error(`read ${length} characters, not ${expected}`);
        if (round >= 0) times[name].push(spent);
      } catch (error) {
        failures[name] = String(error?.message ?? error).slice(0, 80);
      }
    }
  }
  return {
    times: Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)])),
    failures,
  };
}

const { bytes, length } = wires(records);
const rows = [];
for (const [wire, all] of Object.entries(readers)) {
  const contenders = only
    ? Object.fromEntries(
        Object.entries(all).filter(([name]) => name === floorName || name.startsWith('@ziggie/')),
      )
    : all;
  if (only && Object.keys(contenders).length < 2) continue;
  for (const size of sizes) {
    const { times, failures } = await measure(contenders, bytes[wire], size, length);
    const floor = times[floorName];
    for (const name of Object.keys(contenders)) {
      const figures = failures[name]
        ? `– | – (${failures[name]})`
        : `${times[name].toFixed(0)} | ${(times[name] / floor).toFixed(2)}`;
      rows.push(`| ${wire} | ${size} B | ${versionOf(name)} | ${figures} |`);
      console.error(rows.at(-1));
    }
  }
}

/** CPU for one record with a text of so many MiB. */
async function largeRecord(framing, mebibytes, size) {
  const text = 'x'.repeat(mebibytes * 2 ** 20);
  const body =
    framing === 'NDJSON'
      ? `{"message":{"content":"${text}"},"done":false}\n{"message":{"content":""},"done":true}\n`
      : `data: {"choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`;
  const encoded = new TextEncoder().encode(body);
  const type = framing === 'NDJSON' ? 'application/x-ndjson' : 'text/event-stream';
  const times = [];
  for (let round = -1; round < rounds; round++) {
    tidy();
    const startedAt = cpuNow();
    // Several times in one measurement: the clock of the thread ticks in steps of milliseconds.
    for (let again = 0; again < repeats; again++) {
      const client = createClient({
        baseUrl: 'http://bench.test',
        target: framing === 'NDJSON' ? 'ollama' : 'openai',
        fetch: async () => answer(encoded, size, type),
      });
      const { text: got } = await client
        .chat({ model: 'm', messages: [{ role: 'user', content: 'hi' }] })
        .final();
      if (got.length !== text.length) throw new Error(`read ${got.length} characters, not ${text.length}`);
    }
    if (round >= 0) times.push((cpuNow() - startedAt) / repeats);
  }
  return median(times);
}

const large = [];
for (const framing of ['NDJSON', 'SSE']) {
  for (const size of [64, 1_400]) {
    const [small, big] = [await largeRecord(framing, 2, size), await largeRecord(framing, 8, size)];
    large.push(
      `| ${framing} | ${size} B | ${small.toFixed(0)} | ${big.toFixed(0)} | ×${(big / small).toFixed(1)} |`,
    );
    console.error(large.at(-1));
  }
}

const report = `# Reading a streamed answer

${records.toLocaleString('en')} records from memory, thread CPU, median of ${rounds} rounds in turn, one process. The floor
is what no reader of that wire can save without skipping work: decode, split, \`JSON.parse\`; ours is below it where it
does not parse what it knows already. Each wire has its own floor, so ratios compare across wires and milliseconds do not.
Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}. Made by \`client/decode.mjs\`.

| wire | chunk | reader | CPU ms | × floor |
|---|---|---|---|---|
${rows.join('\n')}

## One large record

| framing | chunk | 2 MiB, CPU ms | 8 MiB, CPU ms | for ×4 bytes |
|---|---|---|---|---|
${large.join('\n')}
`;
if (!only) {
  process.stdout.write(report);
  writeFileSync(new URL('RESULTS.md', import.meta.url), report);
}
