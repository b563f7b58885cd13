import { encodeNdjson, encodeSse, type StreamEvent } from '@ziggie/llm-protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { framingFor } from './framing.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    '',
    ' token',
    '"',
    '\\',
    '\n',
    '\u0000',
    '\u2028',
    '\ud800',
    '\udc00x',
    '</b>',
    '😀',
    'ünï',
  ),
);
const event: fc.Arbitrary<StreamEvent> = fc
  .tuple(
    fc.oneof(
      fc.record({ type: fc.constantFrom('text-delta' as const, 'thinking-delta' as const), text }),
      fc.record({
        type: fc.constant('tool-call' as const),
        id: text,
        name: text,
        arguments: fc.dictionary(text, fc.jsonValue()),
      }),
    ),
    fc.nat(),
  )
  .map(([body, seq]) => ({ ...body, seq }) as StreamEvent);

test('every event is written as the protocol writes it, byte for byte', () => {
  const [ndjson, sse] = [framingFor(null), framingFor('text/event-stream')];
  fc.assert(
    fc.property(event, (one) => {
      expect(ndjson.encode(one)).toBe(encodeNdjson(one));
      expect(sse.encode(one)).toBe(encodeSse(one));
    }),
    { numRuns: 1000 },
  );
});
