import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SseSplitter } from '../../framing/sse-splitter.ts';
import type { StreamEventBody } from '../../stream-event.ts';
import { OpenAiDecoder } from './decode-chunk.ts';

const fixtures = new URL('../../../../../../shared/fixtures/ollama/', import.meta.url);

function decode(records: readonly (object | string)[], withEnd = true) {
  const decoder = new OpenAiDecoder();
  const events: StreamEventBody[] = [];
  for (const record of records) {
    decoder.read(typeof record === 'string' ? record : JSON.stringify(record), events);
  }
  if (withEnd) decoder.end(events);
  return { events, ended: decoder.ended };
}

function fixture(name: string): string[] {
  const splitter = new SseSplitter();
  const records: string[] = [];
  splitter.push(readFileSync(new URL(name, fixtures), 'utf8'), (data) => records.push(data));
  splitter.end((data) => records.push(data));
  return records;
}

const chunk = (delta: object, more: object = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
});
const finish = (reason: string) => chunk({}, { finish_reason: reason });
const call = (fragment: object) => chunk({ tool_calls: [fragment] });
const callsOf = ({ events }: { events: StreamEventBody[] }) =>
  events.flatMap((event) => (event.type === 'tool-call' ? [[event.id, event.name, event.arguments]] : []));

describe.skipIf(!existsSync(fixtures))('OpenAiDecoder over transcripts', () => {
  const stopped = [
    { type: 'text-delta', text: 'Hello' },
    { type: 'text-delta', text: '!' },
    { type: 'usage', inputTokens: 26, outputTokens: 9, source: 'upstream' },
    { type: 'done', finishReason: 'stop', timings: {} },
  ];

  it.each(['openai-chat-stream-usage.sse', 'openai-chat-stream-legacy.sse'])(
    '%s: the stream shape of either version',
    (name) => {
      expect(decode(fixture(name), false)).toEqual({ events: stopped, ended: true });
    },
  );

  it('reasoning comes as thinking', () => {
    expect(decode(fixture('openai-chat-stream-reasoning.sse')).events).toEqual([
      { type: 'thinking-delta', text: 'Two plus' },
      { type: 'thinking-delta', text: ' two.' },
      { type: 'text-delta', text: '4' },
      { type: 'usage', inputTokens: 0, outputTokens: 3, source: 'estimated' },
      { type: 'done', finishReason: 'stop', timings: {} },
    ]);
  });

  it('tool calls come whole, before the end', () => {
    const { events } = decode(fixture('openai-chat-stream-tools.sse'));
    expect(callsOf({ events })).toEqual([
      ['call_a1b2c3d4', 'get_weather', { city: 'Paris' }],
      ['call_e5f6g7h8', 'get_weather', { city: 'Oslo' }],
    ]);
    expect(events.at(-1)).toMatchObject({ type: 'done', finishReason: 'tool_calls' });
  });

  it('plain completions', () => {
    expect(decode(fixture('openai-completions-stream-usage.sse')).events).toEqual([
      { type: 'text-delta', text: 'blue' },
      { type: 'usage', inputTokens: 26, outputTokens: 9, source: 'upstream' },
      { type: 'done', finishReason: 'stop', timings: {} },
    ]);
  });

  it('the error that Ollama swallows is a broken answer', () => {
    expect(decode(fixture('openai-chat-stream-midstream-error.sse')).ended).toBe(false);
  });
});

describe('OpenAiDecoder', () => {
  it.each(['reasoning', 'reasoning_content', 'thinking'])('reads %s as thinking', (name) => {
    const { events } = decode([
      chunk({ [name]: 'Hm' }),
      chunk({ [name]: ' so' }),
      chunk({ content: 'Yes' }),
      finish('stop'),
    ]);
    expect(events.slice(0, 3)).toEqual([
      { type: 'thinking-delta', text: 'Hm' },
      { type: 'thinking-delta', text: ' so' },
      { type: 'text-delta', text: 'Yes' },
    ]);
  });

  it('the same thinking under two names in one chunk counts once', () => {
    const { events } = decode([chunk({ reasoning: 'Hm', reasoning_content: 'Hm' }), finish('stop')]);
    expect(events.filter(({ type }) => type === 'thinking-delta')).toHaveLength(1);
  });

  it('reads thinking between tags at the start of the text', () => {
    const { events } = decode([
      chunk({ content: '<th' }),
      chunk({ content: 'ink>Hm</think>\n\nY' }),
      chunk({ content: 'es' }),
      finish('stop'),
    ]);
    expect(events.slice(0, 3)).toEqual([
      { type: 'thinking-delta', text: 'Hm' },
      { type: 'text-delta', text: 'Y' },
      { type: 'text-delta', text: 'es' },
    ]);
  });

  it('waits for the usage that follows the finish reason, with cached tokens', () => {
    const usage = { prompt_tokens: 20, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 16 } };
    const { events } = decode(
      [chunk({ content: 'a' }), finish('stop'), { choices: [], usage }, '[DONE]'],
      false,
    );
    expect(events.slice(1)).toEqual([
      { type: 'usage', inputTokens: 20, cachedInputTokens: 16, outputTokens: 2, source: 'upstream' },
      { type: 'done', finishReason: 'stop', timings: {} },
    ]);
  });

  it.each([
    { prompt_tokens: -1, completion_tokens: 2 },
    { prompt_tokens: '3', completion_tokens: 1 },
    { prompt_tokens: 1e300, completion_tokens: Number.NaN },
    null,
    'x',
  ])('usage that makes no sense is an estimate: %j', (usage) => {
    const { events } = decode([chunk({ content: 'a' }), { ...finish('stop'), usage }]);
    expect(events[1]).toEqual({ type: 'usage', inputTokens: 0, outputTokens: 1, source: 'estimated' });
  });

  it('the times of llama.cpp', () => {
    const { events } = decode([
      chunk({ content: 'a' }),
      { ...finish('stop'), timings: { prompt_ms: 12.5, predicted_ms: 30, predicted_n: 1 } },
    ]);
    expect(events.at(-1)).toEqual({
      type: 'done',
      finishReason: 'stop',
      timings: { prefillMs: 12.5, decodeMs: 30 },
    });
  });

  it.each([
    ['stop', 'stop'],
    ['length', 'length'],
    ['max_tokens', 'length'],
    ['content_filter', 'stop'],
    ['eos_token', 'stop'],
  ])('finish_reason %s is %s', (reason, finishReason) => {
    expect(decode([chunk({ content: 'a' }), finish(reason)]).events.at(-1)).toMatchObject({
      type: 'done',
      finishReason,
    });
  });

  it('a finish reason without [DONE] is an end, [DONE] without a finish reason is none', () => {
    expect(decode([chunk({ content: 'a' }), finish('stop')], true).ended).toBe(true);
    expect(decode([chunk({ content: 'a' }), '[DONE]'], true).ended).toBe(false);
    expect(decode([chunk({ content: 'a' })], true).ended).toBe(false);
    expect(decode([], true)).toEqual({ events: [], ended: false });
  });

  it('what comes after the end is not part of the answer', () => {
    const { events } = decode([
      chunk({ content: 'a' }),
      finish('stop'),
      chunk({ content: 'b' }),
      '[DONE]',
      chunk({ content: 'c' }),
    ]);
    expect(events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : []))).toEqual(['a']);
    expect(events.filter(({ type }) => type === 'done')).toHaveLength(1);
  });

  it('other choices than the first are not mixed in', () => {
    const both = {
      choices: [
        { index: 1, delta: { content: 'no' } },
        { index: 0, delta: { content: 'yes' } },
      ],
    };
    expect(decode([both, finish('stop')]).events[0]).toEqual({ type: 'text-delta', text: 'yes' });
  });

  it('a whole answer where a stream was asked for', () => {
    const whole = {
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: { content: 'Hi', tool_calls: [{ id: 'c', function: { name: 'f', arguments: '{}' } }] },
          finish_reason: 'tool_calls',
        },
      ],
    };
    expect(decode([whole]).events.map(({ type }) => type)).toEqual([
      'text-delta',
      'tool-call',
      'usage',
      'done',
    ]);
  });

  it.each([
    [
      'OpenAI',
      { error: { message: 'Too long', type: 'invalid_request_error', code: 'context_length_exceeded' } },
      'context_overflow',
    ],
    [
      'vLLM',
      { error: { message: 'EngineCore encountered an issue.', type: 'InternalServerError', code: 500 } },
      'internal_error',
    ],
    [
      'old vLLM',
      { object: 'error', message: 'The model `x` does not exist.', type: 'NotFoundError', code: 404 },
      'model_not_found',
    ],
    [
      'llama.cpp',
      { error: { code: 500, message: 'failed to allocate memory', type: 'server_error' } },
      'out_of_memory',
    ],
    ['a text', { error: 'llama-server process has terminated' }, 'runner_crashed'],
    ['a choice', { choices: [{ index: 0, delta: {}, finish_reason: 'error' }] }, 'upstream_error'],
  ])('an error inside the stream ends it: %s', (_, record, code) => {
    const { events, ended } = decode([chunk({ content: 'a' }), record, '[DONE]']);
    expect(events.at(-1)).toMatchObject({ type: 'error', code });
    expect(events.filter(({ type }) => type === 'done')).toEqual([]);
    expect(ended).toBe(true);
  });

  it.each(['[]', '3', 'null', '"x"', '{', '[DONE', ''])('%j is no record', (text) => {
    expect(() => decode([text])).toThrow(expect.objectContaining({ code: 'malformed_record' }));
  });

  it('known shapes give what parsing gives, whatever stands in the text', () => {
    const written = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }).map((content) => JSON.stringify(chunk({ content }))),
      fc.string({ maxLength: 8 }).map((reasoning) => JSON.stringify(chunk({ reasoning }))),
      fc.string({ maxLength: 8 }).map((content) => JSON.stringify({ choices: [{ text: content }] })),
      fc
        .constantFrom('"', '\\"}', '</think>', '<think>')
        .map((content) => JSON.stringify(chunk({ content, role: 'assistant' }))),
    );
    fc.assert(
      fc.property(fc.array(written, { maxLength: 10 }), (records) => {
        // A space before the last brace is the same JSON and matches no shape.
        const spaced = records.map((record) => `${record.slice(0, -1)} }`);
        const odd = spaced.map((record, at) => (at % 2 === 0 ? record : record.replace(/\}$/, ' }')));
        expect(decode([...records, finish('stop')])).toEqual(decode([...odd, finish('stop')]));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('tool calls in fragments', () => {
  it.each<[string, object[], unknown[]]>([
    [
      'arguments in pieces',
      [
        { index: 0, id: 'a', function: { name: 'f', arguments: '' } },
        { index: 0, function: { arguments: '{"x"' } },
        { index: 0, function: { arguments: ':1}' } },
      ],
      [['a', 'f', { x: 1 }]],
    ],
    [
      'two calls with index 0 and ids of their own',
      [
        { index: 0, id: 'a', function: { name: 'f', arguments: '{"x":1}' } },
        { index: 0, id: 'b', function: { name: 'f', arguments: '{"x":2}' } },
      ],
      [
        ['a', 'f', { x: 1 }],
        ['b', 'f', { x: 2 }],
      ],
    ],
    [
      'two calls with index 0 and no id',
      [
        { index: 0, function: { name: 'f', arguments: '{"x":1}' } },
        { index: 0, function: { name: 'f', arguments: '{"x":2}' } },
        { index: 0, function: { name: 'g', arguments: '{}' } },
      ],
      [
        ['call_0', 'f', { x: 1 }],
        ['call_1', 'f', { x: 2 }],
        ['call_2', 'g', {}],
      ],
    ],
    [
      'an id that comes late',
      [
        { index: 0, function: { name: 'f', arguments: '{"x"' } },
        { index: 0, id: 'a', function: { arguments: ':1}' } },
      ],
      [['a', 'f', { x: 1 }]],
    ],
    [
      'the id and the name with every fragment',
      [
        { index: 0, id: 'a', function: { name: 'f', arguments: '{"x"' } },
        { index: 0, id: 'a', function: { name: 'f', arguments: ':1}' } },
      ],
      [['a', 'f', { x: 1 }]],
    ],
    [
      'no index at all',
      [
        { id: 'a', function: { name: 'f', arguments: '{}' } },
        { id: 'b', function: { name: 'g', arguments: '{}' } },
      ],
      [
        ['a', 'f', {}],
        ['b', 'g', {}],
      ],
    ],
    [
      'fragments of two calls in turn',
      [
        { index: 0, id: 'a', function: { name: 'f', arguments: '{"x":' } },
        { index: 1, id: 'b', function: { name: 'g', arguments: '{"y":' } },
        { index: 0, function: { arguments: '1}' } },
        { index: 1, function: { arguments: '2}' } },
      ],
      [
        ['a', 'f', { x: 1 }],
        ['b', 'g', { y: 2 }],
      ],
    ],
    [
      'arguments as an object',
      [{ index: 0, id: 'a', function: { name: 'f', arguments: { x: 1 } } }],
      [['a', 'f', { x: 1 }]],
    ],
    ['no arguments', [{ index: 0, id: 'a', function: { name: 'f' } }], [['a', 'f', {}]]],
    [
      'indices with gaps',
      [{ index: 7, id: 'a', function: { name: 'f', arguments: '{}' } }],
      [['a', 'f', {}]],
    ],
    [
      'an index and an id of null',
      [{ index: null, id: null, function: { name: 'f', arguments: '{}' } }],
      [['call_0', 'f', {}]],
    ],
    [
      '__proto__ in arguments',
      [{ index: 0, id: 'a', function: { name: 'f', arguments: '{"__proto__":{"x":1},"y":2}' } }],
      [['a', 'f', { y: 2 }]],
    ],
    [
      '__proto__ as a name',
      [{ index: 0, id: '__proto__', function: { name: '__proto__', arguments: '{}' } }],
      [['__proto__', '__proto__', {}]],
    ],
    ['something that is none', [null as never, {}, { index: 0, function: null }], []],
  ])('%s', (_, fragments, expected) => {
    expect(callsOf(decode([...fragments.map(call), finish('tool_calls')]))).toEqual(expected);
  });

  it.each([-1, 1025, 1e9, 0.5, '0', Number.MAX_SAFE_INTEGER])('an index of %j is refused', (index) => {
    expect(() => decode([call({ index, id: 'a', function: { name: 'f' } })])).toThrow(
      expect.objectContaining({ code: 'malformed_record' }),
    );
  });

  it('more calls than any model makes are refused', () => {
    const many = Array.from({ length: 1025 }, (_, at) =>
      call({ id: `c${at}`, function: { name: 'f', arguments: '{}' } }),
    );
    expect(() => decode(many)).toThrow(expect.objectContaining({ code: 'malformed_record' }));
  });

  it('arguments cut at any byte are never run', () => {
    const whole = '{"city":"Par\\u00eds","days":[1,2]}';
    for (let length = 1; length < whole.length; length++) {
      const cut = call({ index: 0, id: 'a', function: { name: 'f', arguments: whole.slice(0, length) } });
      expect(callsOf(decode([cut]))).toEqual([]);
      const { events } = decode([cut, finish('tool_calls')]);
      expect(events.at(-1)).toMatchObject({ type: 'error', code: 'model_output_invalid' });
      expect(decode([cut, finish('length')]).events.map(({ type }) => type)).toEqual(['usage', 'done']);
    }
  });

  it('ten thousand fragments of one call take linear time', () => {
    const cost = (count: number) => {
      const records = [call({ index: 0, id: 'a', function: { name: 'f', arguments: '{"x":"' } })];
      for (let at = 0; at < count; at++) records.push(call({ index: 0, function: { arguments: 'abcd' } }));
      records.push(call({ index: 0, function: { arguments: '"}' } }), finish('tool_calls'));
      const texts = records.map((record) => JSON.stringify(record));
      const startedAt = performance.now();
      expect(callsOf(decode(texts))).toHaveLength(1);
      return performance.now() - startedAt;
    };
    cost(2_000);
    expect(cost(40_000)).toBeLessThan(20 * Math.max(cost(10_000), 5));
  });
});
