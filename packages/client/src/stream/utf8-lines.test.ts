import fc from 'fast-check';
import { expect, test } from 'vitest';
import { utf8Lines } from './utf8-lines.ts';

function read(pieces: readonly Uint8Array[], lines = utf8Lines()): { text: string; rest: string } {
  let text = '';
  for (const piece of pieces) {
    const good = lines.push(piece);
    expect(good).toMatch(/^$|[\r\n]$/);
    text += good;
  }
  return { text, rest: lines.end() };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('gives all text, whatever the pieces: many lines, short and long, over every size of its own buffer', () => {
  const line = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.integer({ min: 0, max: 5_000 }).map((length) => 'ü'.repeat(length)),
  );
  const text = fc.array(line, { maxLength: 60 }).map((all) => all.join('\n'));
  fc.assert(
    fc.property(
      text,
      fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 20 }),
      (whole, sizes) => {
        const encoded = bytes(whole);
        const pieces: Uint8Array[] = [];
        for (let at = 0, turn = 0; at < encoded.length; turn++) {
          const size = sizes[turn % sizes.length] as number;
          pieces.push(encoded.slice(at, at + size));
          at += size;
        }
        const { text: good, rest } = read(pieces);
        expect(good + rest).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(encoded));
      },
    ),
    { numRuns: 500 },
  );
});

test('ten thousand lines in pieces of 64 bytes come out whole: what waits is moved within the buffer', () => {
  const whole = Array.from(
    { length: 10_000 },
    (_, at) => `{"at":${at},"text":"${'x'.repeat(at % 190)}"}\n`,
  ).join('');
  const encoded = bytes(whole);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < encoded.length; at += 64) pieces.push(encoded.subarray(at, at + 64));
  expect(read(pieces)).toEqual({ text: whole, rest: '' });
});

test('holds on to no piece: a sender may use its buffer again', () => {
  const lines = utf8Lines();
  const buffer = bytes('ab');
  lines.push(buffer);
  buffer.set(bytes('cd'));
  expect(lines.push(bytes('!\n'))).toBe('ab!\n');
});

test('the lines before bad bytes are given; the bad line is an error', () => {
  const lines = utf8Lines();
  const bad = new Uint8Array([...bytes('one\ntwo \ufffd\n'), 0xff, 0x0a]);
  expect(lines.push(bad)).toBe('one\ntwo \ufffd\n');
  expect(lines.failure).toMatchObject({ code: 'malformed_record' });
});

test.each([[[0xe2, 0x82]], [[0xf0, 0x9f, 0x98]], [[0xc3]]])(
  'an end inside a character is an error: %j',
  (cut) => {
    const lines = utf8Lines();
    lines.push(new Uint8Array(cut));
    expect(lines.end()).toBe('');
    expect(lines.failure).toMatchObject({ code: 'malformed_record' });
  },
);

test('a line longer than the limit is an error before it is held', () => {
  const lines = utf8Lines(1_000);
  for (let at = 0; at < 10; at++) lines.push(new Uint8Array(100).fill(120));
  expect(lines.failure).toBeUndefined();
  lines.push(new Uint8Array(100).fill(120));
  expect(lines.failure).toMatchObject({ code: 'response_too_large' });
});
