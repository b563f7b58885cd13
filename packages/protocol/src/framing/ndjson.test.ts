import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../protocol-error.ts';
import { encodeNdjson, NdjsonSplitter } from './ndjson.ts';

function split(pieces: readonly string[], maxRecordLength?: number): string[] {
  const lines: string[] = [];
  const splitter = new NdjsonSplitter(maxRecordLength);
  for (const piece of pieces) splitter.push(piece, (line) => lines.push(line));
  splitter.end((line) => lines.push(line));
  return lines;
}

describe('NdjsonSplitter', () => {
  const text = '{"a":1}\n{"b":"zwei\\n"}\r\n\n  \n{"c":"€"}\n{"last":true}';
  const lines = ['{"a":1}', '{"b":"zwei\\n"}', '{"c":"€"}', '{"last":true}'];

  it('gives the same lines wherever the text is cut', () => {
    for (let cut = 0; cut <= text.length; cut++) {
      expect(split([text.slice(0, cut), text.slice(cut)])).toEqual(lines);
    }
    expect(split([...text])).toEqual(lines);
  });

  it('gives the same lines for any records and any cuts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 8 }),
        fc.array(fc.nat(40), { maxLength: 40 }),
        (records, sizes) => {
          const wire = records.map(encodeNdjson).join('');
          const pieces: string[] = [];
          let from = 0;
          for (const size of sizes) {
            pieces.push(wire.slice(from, from + size));
            from += size;
          }
          pieces.push(wire.slice(from));
          expect(split(pieces)).toEqual(records.map((record) => JSON.stringify(record)));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('drops a byte order mark at the very beginning only', () => {
    expect(split(['\ufeff{"a":1}\n', '\ufeff{"b":2}\n'])).toEqual(['{"a":1}', '\ufeff{"b":2}']);
  });

  it('gives a line that a piece ends exactly', () => {
    expect(split(['{"a":1}', '\n', '{"b":2}\n'])).toEqual(['{"a":1}', '{"b":2}']);
  });

  it('refuses a record longer than the limit, in one piece or in many', () => {
    expect(() => split(['x'.repeat(11)], 10)).toThrow(ProtocolError);
    expect(() => split(['x'.repeat(11), '\n'], 10)).toThrow(/longer than 10/);
    expect(() => split('x'.repeat(11).split(''), 10)).toThrow(ProtocolError);
    expect(() => split([`${'x'.repeat(6)}`, `${'x'.repeat(6)}\n`], 10)).toThrow(ProtocolError);
    expect(split(['x'.repeat(10), '\n', 'y'.repeat(10)], 10)).toHaveLength(2);
  });
});
