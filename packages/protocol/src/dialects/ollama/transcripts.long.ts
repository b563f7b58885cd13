import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { NdjsonSplitter } from '../../framing/ndjson.ts';
import { parseJson } from '../../json/parse-json.ts';
import type { StreamEventBody } from '../../stream-event.ts';
import { OllamaDecoder } from './decode-record.ts';

const folder = new URL('../../../../../../shared/fixtures/ollama/', import.meta.url);
const names = existsSync(folder)
  ? readdirSync(folder).filter((name) => /^(?:chat|generate)-.*\.ndjson$/.test(name))
  : [];

/** Reads the pieces as a client does: a piece may end inside a character. */
function decode(pieces: readonly Uint8Array[]): { events: StreamEventBody[]; ended: boolean } {
  const text = new TextDecoder();
  const splitter = new NdjsonSplitter();
  const decoder = new OllamaDecoder();
  const events: StreamEventBody[] = [];
  const take = (line: string) => events.push(...decoder.decode(parseJson(line)));
  for (const piece of pieces) splitter.push(text.decode(piece, { stream: true }), take);
  splitter.push(text.decode(), take);
  splitter.end(take);
  return { events, ended: decoder.ended };
}

describe.skipIf(names.length === 0)('every transcript', () => {
  test.each(names)('%s gives the same events wherever it is cut in two, and in single bytes', (name) => {
    const bytes = readFileSync(new URL(name, folder));
    const whole = JSON.stringify(decode([bytes]));
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(JSON.stringify(decode([bytes.subarray(0, cut), bytes.subarray(cut)]))).toBe(whole);
    }
    expect(JSON.stringify(decode(Array.from(bytes, (byte) => Uint8Array.of(byte))))).toBe(whole);
  });

  test.each(names)('%s broken off at any byte before its last record has not ended', (name) => {
    const bytes = readFileSync(new URL(name, folder));
    const lastRecordAt = bytes.lastIndexOf(10, bytes.length - 2) + 1;
    for (let end = 0; end < lastRecordAt; end++) {
      let broken: { ended: boolean };
      try {
        broken = decode([bytes.subarray(0, end)]);
      } catch {
        // A record cut in the middle is no JSON: seen as broken too.
        continue;
      }
      expect([end, broken.ended]).toEqual([end, false]);
    }
  });
});
