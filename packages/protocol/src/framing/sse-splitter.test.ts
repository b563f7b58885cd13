import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SseSplitter } from './sse-splitter.ts';

interface SseEvent {
  type: string;
  data: string;
  lastEventId: string;
}
interface Case {
  id: string;
  stream_b64: string;
  chunks_b64?: string[];
  expect: { events?: SseEvent[]; retry?: number; lastEventId?: string };
}
interface LimitCase {
  id: string;
  build: { prefix?: string; repeat_byte?: string; bytes?: number; suffix?: string };
  limit_bytes: number;
}

const path = new URL('../../../../../shared/corpora/sse-wpt.json', import.meta.url);
const corpus: { cases: Case[]; limit_cases: LimitCase[] } | undefined = existsSync(path)
  ? JSON.parse(readFileSync(path, 'utf8'))
  : undefined;

function limitCase(name: string): LimitCase {
  const found = corpus?.limit_cases.find(({ id }) => id === name);
  if (!found) throw new Error(`There is no case ${name}.`);
  return found;
}

function read(chunks: readonly Uint8Array[]) {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  const splitter = new SseSplitter();
  const events: SseEvent[] = [];
  const onEvent = (data: string, type: string) =>
    events.push({ type, data, lastEventId: splitter.lastEventId });
  for (const chunk of chunks) splitter.push(utf8.decode(chunk, { stream: true }), onEvent);
  return { events, retry: splitter.retryMs, lastEventId: splitter.lastEventId };
}

function inPieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

describe.skipIf(!corpus)('the event stream cases of browsers and other readers', () => {
  it('are all here', () => {
    expect(corpus?.cases).toHaveLength(93);
  });

  it.each(corpus?.cases.map((one) => [one.id, one] as const) ?? [])('%s', (_, one) => {
    const bytes = Buffer.from(one.stream_b64, 'base64');
    const check = (chunks: readonly Uint8Array[], how: string) => {
      const { events, retry, lastEventId } = read(chunks);
      if (one.expect.events) expect(events, how).toEqual(one.expect.events);
      if (one.expect.retry !== undefined) expect(retry, how).toBe(one.expect.retry);
      if (one.expect.lastEventId !== undefined) expect(lastEventId, how).toBe(one.expect.lastEventId);
    };
    check([bytes], 'whole');
    if (one.chunks_b64)
      check(
        one.chunks_b64.map((chunk) => Buffer.from(chunk, 'base64')),
        'as given',
      );
    check(inPieces(bytes, 1), 'byte by byte');
    check(inPieces(bytes, 2), 'two bytes at a time');
    for (let cut = 1; cut < bytes.length; cut++)
      check([bytes.subarray(0, cut), bytes.subarray(cut)], `cut at ${cut}`);
  });

  it('an endless line is an error at the limit', () => {
    const { build, limit_bytes } = limitCase('undici/maxEventSize');
    const splitter = new SseSplitter(limit_bytes);
    splitter.push(build.prefix ?? '', () => {});
    const piece = (build.repeat_byte ?? 'x').repeat(65_536);
    let taken = 0;
    const feed = () => {
      for (; taken < (build.bytes ?? 0); taken += piece.length) splitter.push(piece, () => {});
    };
    expect(feed).toThrow(expect.objectContaining({ code: 'response_too_large' }));
    expect(taken).toBeLessThanOrEqual(limit_bytes);
  });

  it('many data lines without a blank line are an error at the limit', () => {
    const { limit_bytes } = limitCase('eventsource-parser/huge-event');
    const splitter = new SseSplitter(limit_bytes);
    const line = `data: ${'x'.repeat(1_000)}\n`;
    const feed = () => {
      for (let count = 0; count < 10_000; count++) splitter.push(line, () => {});
    };
    expect(feed).toThrow(expect.objectContaining({ code: 'response_too_large' }));
  });

  it('an event of 6.7 MiB below the limit is one event', () => {
    const { build } = limitCase('ld/large-5MiB');
    const splitter = new SseSplitter();
    const lengths: number[] = [];
    const whole = `${build.prefix}${build.repeat_byte?.repeat(build.bytes ?? 0)}${build.suffix}`;
    for (let at = 0; at < whole.length; at += 1_400) {
      splitter.push(whole.slice(at, at + 1_400), (data) => lengths.push(data.length));
    }
    expect(lengths).toEqual([build.bytes]);
  });
});

describe('SseSplitter.end()', () => {
  it.each(['data: a\n\ndata: b\n', 'data: a\n\ndata: b', 'data: a\r\n\r\ndata: b\r', 'data:a\r\rdata:b'])(
    'hands out a last event without its blank line: %j',
    (text) => {
      const splitter = new SseSplitter();
      const data: string[] = [];
      const onEvent = (one: string) => data.push(one);
      splitter.push(text, onEvent);
      splitter.end(onEvent);
      expect(data).toEqual(['a', 'b']);
    },
  );

  it('hands out nothing after a whole stream', () => {
    const splitter = new SseSplitter();
    const data: string[] = [];
    splitter.push(': hello\n\ndata: a\n\n: bye\n', (one) => data.push(one));
    splitter.end((one) => data.push(one));
    expect(data).toEqual(['a']);
  });
});
