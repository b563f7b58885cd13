/**
 * CPU to know an object while it is being written, in deltas of four characters: after each delta the value so far is asked
 * for. Beside the parsers that other clients use for it. One process, in turn; thread CPU time; the median of 5 rounds,
 * or one round where a round takes more than a second.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parsePartialJson } from 'ai';
import { parse as jsonriver } from 'jsonriver';
import { partialParse } from 'openai/_vendor/partial-json-parser/parser';
import { parse as partialJson } from 'partial-json';
import { PartialJson } from '../../packages/protocol/dist/index.js';

const DELTA = 4;
const shapes = {
  'one string': (size) => ({ text: 'The sky is blue. '.repeat(Math.ceil(size / 17)).slice(0, size - 11) }),
  'an array of objects': (size) => ({
    items: Array.from({ length: Math.round(size / 62) }, (_, id) => ({
      id,
      name: `item ${id} of a list`,
      tags: ['a', 'b'],
      ok: true,
    })),
  }),
};

/** Each reads all deltas, looks at the value after each, and gives the last one. */
const readers = {
  '@ziggie/llm-client (PartialJson)': async (deltas) => {
    const parser = new PartialJson();
    let seen;
    for (const delta of deltas) {
      parser.push(delta);
      seen = parser.value;
    }
    parser.end();
    return seen;
  },
  'jsonriver 1.1.1': async (deltas) => {
    let seen;
    for await (const value of jsonriver(
      (async function* () {
        yield* deltas;
      })(),
    ))
      seen = value;
    return seen;
  },
  'openai 7.57.0 (partialParse)': async (deltas) => {
    let text = '';
    let seen;
    for (const delta of deltas) {
      text += delta;
      try {
        seen = partialParse(text);
      } catch {
        // Nothing to show yet.
      }
    }
    return seen;
  },
  'ai 7.0.173 (parsePartialJson)': async (deltas) => {
    let text = '';
    let seen;
    for (const delta of deltas) {
      text += delta;
      seen = (await parsePartialJson(text)).value;
    }
    return seen;
  },
  'partial-json 0.1.7': async (deltas) => {
    let text = '';
    let seen;
    for (const delta of deltas) {
      text += delta;
      try {
        seen = partialJson(text);
      } catch {
        // Nothing to show yet.
      }
    }
    return seen;
  },
};

const cpuNow = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

/** The counter ticks in milliseconds: what is quick is read several times. */
async function measure(read, deltas, expected) {
  const once = async (times) => {
    globalThis.gc?.();
    const startedAt = cpuNow();
    let value;
    for (let at = 0; at < times; at++) value = await read(deltas);
    const spent = (cpuNow() - startedAt) / times;
    if (JSON.stringify(value) !== expected) throw new Error('another value came out');
    return spent;
  };
  const first = await once(1);
  if (first > 1_000) return first;
  const times = Math.max(1, Math.ceil(100 / Math.max(1, first)));
  const rounds = [];
  for (let round = 0; round < 5; round++) rounds.push(await once(times));
  return median(rounds);
}

const rows = [];
for (const [shape, make] of Object.entries(shapes)) {
  for (const [name, read] of Object.entries(readers)) {
    const spent = [];
    for (const size of [16_384, 65_536]) {
      const text = JSON.stringify(make(size));
      const deltas = Array.from({ length: Math.ceil(text.length / DELTA) }, (_, at) =>
        text.slice(at * DELTA, (at + 1) * DELTA),
      );
      spent.push(await measure(read, deltas, text));
    }
    const [small, large] = spent;
    rows.push(
      `| ${shape} | ${name} | ${small.toFixed(1)} | ${large.toFixed(1)} | ×${(large / small).toFixed(1)} |`,
    );
    console.error(rows.at(-1));
  }
}

const text = `# An object while it is being written

In deltas of ${DELTA} characters, the value so far asked for after each. Thread CPU in ms, median of 5 rounds; one round where
a round takes more than a second. Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}. Made by \`client/partial-json.mjs\`.

| object | reader | 16 KiB | 64 KiB | for ×4 |
|---|---|---|---|---|
${rows.join('\n')}
`;
process.stdout.write(text);
writeFileSync(new URL('PARTIAL-JSON.md', import.meta.url), text);
