import { existsSync, readFileSync } from 'node:fs';
import { MAX_RECORD_BYTES, type ProtocolError } from '@ziggie/llm-protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AnswerDecoder } from '../targets/target.ts';
import { answerReader } from './answer-reader.ts';
import { eventStream } from './event-stream.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const lines = 'application/x-ndjson';

/** A reader whose decoder takes every record for what it is. */
function reader(contentType = lines) {
  const records: string[] = [];
  const decoder: AnswerDecoder = { ended: false, read: (record) => records.push(record) };
  const { push, end } = answerReader(decoder, contentType === lines ? undefined : eventStream(contentType));
  let failure: string | undefined;
  const tried = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      failure = (error as ProtocolError).code;
    }
  };
  return {
    records,
    push: (piece: Uint8Array) => tried(() => push(piece, [])),
    end: () => tried(() => end([])),
    failure: () => failure,
  };
}

function read(pieces: readonly Uint8Array[], contentType?: string, withEnd = true) {
  const { records, push, end, failure } = reader(contentType);
  for (const piece of pieces) if (!failure()) push(piece);
  if (withEnd) end();
  return { records, failure: failure() };
}

/** @param sizes Of the pieces, in turn. */
function inPieces(whole: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < whole.length; turn++) {
    const size = sizes[turn % sizes.length] as number;
    pieces.push(whole.slice(at, at + size));
    at += size;
  }
  return pieces;
}

const ofSize = (whole: Uint8Array, size: number): Uint8Array[] => inPieces(whole, [size]);

test('gives all records, whatever the pieces: short and long, of characters of one to four bytes', () => {
  const record = fc
    .oneof(
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.integer({ min: 0, max: 5_000 }).map((length) => 'ü'.repeat(length)),
      fc.constantFrom('😀', '\ufffd', '\ufeff', '\u2028', '\r', '\n', '\ud83d'),
    )
    .map((text) => JSON.stringify({ text }));
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }),
      fc.constantFrom('\n', '\r\n', '\n\n\n'),
      (records, sizes, lineEnd) => {
        const whole = bytes(records.join(lineEnd));
        expect(read(inPieces(whole, sizes))).toEqual({ records, failure: undefined });
        const events = bytes(records.map((one) => `data:${one}${lineEnd}${lineEnd}`).join(''));
        expect(read(inPieces(events, sizes), 'text/event-stream')).toEqual({ records, failure: undefined });
      },
    ),
    { numRuns: 300 },
  );
});

test.each(['text/event-stream', ''])('an event stream is known by its type or its look (%j)', (type) => {
  const whole = bytes('\ufeff: hello\n\nid: 1\ndata: {"a":1}\n\ndata: {"a":\ndata: 2}\n\n');
  for (const size of [1, 2, 3, 7, 1_000]) {
    expect(read(ofSize(whole, size), type).records, `${size}`).toEqual(['{"a":1}', '{"a":\n2}']);
  }
});

test('holds on to no piece: a sender may use its buffer again', () => {
  const { records, push } = reader();
  for (const text of ['{"ab', '{"ü'.slice(2), '"}\n']) {
    const piece = bytes(text);
    for (const byte of piece) {
      const buffer = Uint8Array.of(byte);
      push(buffer);
      buffer[0] = 120;
    }
  }
  expect(records).toEqual(['{"abü"}']);
});

test.each([1, 2, 3, 5, 100])(
  'the records before bad bytes are given, the bad one is an error, in pieces of %i',
  (size) => {
    const bad = new Uint8Array([...bytes('{"a":"ü"}\n{"b":"\ufffd"}\n{"c":"'), 0xff, 0x22, 0x7d, 0x0a]);
    expect(read(ofSize(bad, size), undefined, false)).toEqual({
      records: ['{"a":"ü"}', '{"b":"\ufffd"}'],
      failure: 'malformed_record',
    });
  },
);

test.each([[[0xe2, 0x82]], [[0xf0, 0x9f, 0x98]], [[0xc3]]])(
  'an end inside a character is an error: %j',
  (cut) => {
    expect(read([bytes('{"a":"'), new Uint8Array(cut)])).toMatchObject({ failure: 'malformed_record' });
  },
);

test('bytes that only go on and begin no character are an error at once, not held', () => {
  const { push, failure } = reader();
  push(Uint8Array.of(0xf0, 0x80, 0x80, 0x80));
  expect(failure()).toBe('malformed_record');
});

test('a byte order mark before the first line is none of it, wherever the pieces end', () => {
  const whole = bytes('\ufeff{"a":"\ufeff"}\n{"b":1}\n');
  for (const size of [1, 2, 3, 4, 100]) {
    for (const type of [lines, 'application/json'])
      expect(read(ofSize(whole, size), type).records, `${size}`).toEqual(['{"a":"\ufeff"}', '{"b":1}']);
  }
});

test.each([
  ['', lines],
  ['', 'application/json'],
  ['data: ', ''],
])('a record longer than the limit is an error before it is held: %j… as %j', (before, type) => {
  const { push, failure } = reader(type);
  push(bytes(`${before}{"text":"`));
  const piece = new Uint8Array(65_536).fill(120);
  for (let sent = 0; sent < MAX_RECORD_BYTES - piece.length; sent += piece.length) push(piece);
  expect(failure()).toBeUndefined();
  push(piece);
  expect(failure()).toBe('response_too_large');
});

test('many data lines without a blank line are an error at the limit', () => {
  const { push, failure } = reader('text/event-stream');
  const lines = bytes(`data: ${'x'.repeat(1_000)}\n`.repeat(100));
  for (let sent = 0; sent < MAX_RECORD_BYTES * 1.1 && !failure(); sent += lines.length) push(lines);
  expect(failure()).toBe('response_too_large');
});

interface SseCase {
  id: string;
  stream_b64: string;
  chunks_b64?: string[];
  expect: { events?: { data: string }[] };
}

const path = new URL('../../../../../shared/corpora/sse-wpt.json', import.meta.url);
const cases: SseCase[] | undefined = existsSync(path)
  ? JSON.parse(readFileSync(path, 'utf8')).cases
  : undefined;

/** Failed on purpose: a JSON body under the name of an event stream is how some servers report an error, so it is read. */
const readAllTheSame = 'esp/json-error-body';

describe.skipIf(!cases)('the data of the event stream cases of browsers and other readers', () => {
  test.each(cases?.filter(({ expect: { events } }) => events).map((one) => [one.id, one] as const) ?? [])(
    '%s',
    (_, one) => {
      const whole = Buffer.from(one.stream_b64, 'base64');
      // Blank records are none to us, and what stands around one is taken off.
      const wanted = one.expect.events?.map(({ data }) => data.trim()).filter((data) => data !== '');
      if (one.id === readAllTheSame) wanted?.push(whole.toString().trim());
      const check = (pieces: readonly Uint8Array[], how: string): void =>
        expect(read(pieces, 'text/event-stream', false).records, how).toEqual(wanted);
      check([whole], 'whole');
      if (one.chunks_b64)
        check(
          one.chunks_b64.map((piece) => Buffer.from(piece, 'base64')),
          'as given',
        );
      check(ofSize(whole, 1), 'byte by byte');
      for (let cut = 1; cut < whole.length; cut++)
        check([whole.subarray(0, cut), whole.subarray(cut)], `cut at ${cut}`);
    },
  );
});
