import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Utf8Text } from './utf8-text.ts';

/** The text of pieces, or `undefined` where they are not UTF-8. */
function textOf(decode: (piece: Uint8Array) => string, pieces: readonly Uint8Array[]): string | undefined {
  try {
    return pieces.map((piece) => decode(piece)).join('');
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(TypeError);
    return undefined;
  }
}

function same(pieces: readonly Uint8Array[]): void {
  const ours = new Utf8Text();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  expect(textOf((piece) => ours.of(piece), pieces)).toEqual(
    textOf((piece) => decoder.decode(piece, { stream: true }), pieces),
  );
}

test('bytes cut anywhere become the text that a fatal TextDecoder gives', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc
      .constantFrom('{"a":"b"}\n', 'ünï', '😀', '\ufeff', 'plain', '\u2028', '')
      .map((text) => new TextEncoder().encode(text)),
    // Half characters, an overlong form, a surrogate.
    fc
      .constantFrom([0xc3], [0xf0, 0x9f], [0x98, 0x80], [0xc0, 0xaf], [0xed, 0xa0, 0x80])
      .map((values) => Uint8Array.from(values)),
  );
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 8 }), fc.boolean(), (pieces, asBuffer) => {
      same(asBuffer ? pieces.map((piece) => Buffer.from(piece)) : pieces);
    }),
    { numRuns: 2000 },
  );
});

test('a text cut at every byte stays whole', () => {
  const bytes = new TextEncoder().encode('\ufeffa ü 😀\u2028{"x":"é"}\n');
  for (let cut = 0; cut <= bytes.length; cut++) same([bytes.subarray(0, cut), bytes.subarray(cut)]);
});
