import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OllamaDecoder } from '../dialects/ollama/decode-record.ts';
import { parseJson } from '../json/parse-json.ts';
import type { StreamEventBody } from '../stream-event.ts';
import { RecordShape } from './record-shape.ts';

function taught(record: string, text: string, name = 'content', varying?: string): RecordShape {
  const shape = new RecordShape(varying);
  shape.learn(record, text, name);
  return shape;
}

describe('RecordShape', () => {
  const record = '{"at":"10:00","message":{"content":"Hel"},"done":false}';

  it('gives the text of a record that differs in the text and the varying member', () => {
    const shape = taught(record, 'Hel', 'content', 'at');
    expect(shape.textOf('{"at":"10:00:01","message":{"content":"lo ä"},"done":false}')).toBe('lo ä');
    expect(shape.textOf('{"at":"","message":{"content":""},"done":false}')).toBe('');
  });

  it.each([
    ['another member', '{"at":"1","message":{"content":"x"},"done":true}'],
    ['a quote in the text', '{"at":"1","message":{"content":"x"},"content":"y"},"done":false}'],
    ['an escape', '{"at":"1","message":{"content":"x\\n"},"done":false}'],
    ['a control character', '{"at":"1","message":{"content":"x\u0001"},"done":false}'],
    ['an escape in the varying member', '{"at":"\\"","message":{"content":"x"},"done":false}'],
    ['a shorter record', '{"at":"1","message":{"content":"'],
    ['nothing', ''],
  ])('leaves %s to the parser', (_, other) => {
    expect(taught(record, 'Hel', 'content', 'at').textOf(other)).toBeUndefined();
  });

  it('learns nothing where two members have the name', () => {
    const twice = '{"content":"Hel","message":{"content":"Hel"}}';
    expect(taught(twice, 'Hel').textOf(twice)).toBeUndefined();
  });

  it('learns nothing where the name stands twice, however it is written', () => {
    const spaced = '{"x":{"content":"Hel"},"message":{"content" :"Hel"}}';
    expect(taught(spaced, 'Hel').textOf(spaced)).toBeUndefined();
    const escaped = '{"x":{"content":"Hel"},"message":{"cont\\u0065nt":"Hel"}}';
    expect(taught(escaped, 'Hel').textOf(escaped)).toBeUndefined();
  });

  it('a short record whose head and tail overlap is not taken for an empty text', () => {
    const shape = taught('{"content":"a","content2":"a"}', 'a');
    expect(shape.textOf('{"content":"","content2":"a"}')).toBe('');
    expect(shape.textOf('{"content":"content2":"a"}')).toBeUndefined();
  });
});

describe('OllamaDecoder.read()', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom('a', ' the', '', '"', '\\', '</b>', '"},"done":true}', 'ünï', '\u2028'),
  );
  const written = fc.oneof(
    texts.map((content) =>
      JSON.stringify({ model: 'm', created_at: 't', message: { content }, done: false }),
    ),
    fc
      .tuple(texts, fc.string())
      .map(([content, created_at]) =>
        JSON.stringify({ model: 'm', created_at, message: { content }, done: false }),
      ),
    texts.map((response) => JSON.stringify({ model: 'm', created_at: 't', response, done: false })),
    texts.map((thinking) =>
      JSON.stringify({ model: 'm', created_at: 't', message: { content: '', thinking }, done: false }),
    ),
    texts.map((error) => JSON.stringify({ error })),
    texts.map((content) => JSON.stringify({ message: { content }, done: true, eval_count: 3 })),
    texts.map((content) => `{"message": { "content":"${content}" } }`),
  );

  it('gives what parsing every record gives, whatever the records are', () => {
    fc.assert(
      fc.property(fc.array(written, { maxLength: 12 }), (records) => {
        const told = (read: (decoder: OllamaDecoder, record: string, events: StreamEventBody[]) => void) => {
          const decoder = new OllamaDecoder();
          const events: StreamEventBody[] = [];
          try {
            for (const record of records) read(decoder, record, events);
          } catch (error) {
            return [events, String(error)];
          }
          return [events, decoder.ended];
        };
        expect(told((decoder, record, events) => decoder.read(record, events))).toEqual(
          told((decoder, record, events) => events.push(...decoder.decode(parseJson(record)))),
        );
      }),
      { numRuns: 2_000 },
    );
  });
});
