import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { StreamEventBody } from '../../stream-event.ts';
import { OllamaDecoder } from './decode-record.ts';

const fixtures = new URL('../../../../../../shared/fixtures/ollama/', import.meta.url);
const here = existsSync(fixtures);

function decodeAll(records: readonly unknown[]): { events: StreamEventBody[]; ended: boolean } {
  const decoder = new OllamaDecoder();
  const events = records.flatMap((record) => decoder.decode(record));
  return { events, ended: decoder.ended };
}

function fixture(name: string): unknown[] {
  const text = readFileSync(new URL(name, fixtures), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

const textOf = (events: StreamEventBody[]) =>
  events.map((e) => (e.type === 'text-delta' ? e.text : '')).join('');

describe('OllamaDecoder', () => {
  it('gives deltas, then usage, then done', () => {
    const { events, ended } = decodeAll([
      { model: 'm', message: { role: 'assistant', content: 'Hel' }, done: false },
      { model: 'm', message: { role: 'assistant', content: 'lo' }, done: false },
      {
        model: 'm',
        message: { role: 'assistant', content: '' },
        done: true,
        done_reason: 'stop',
        total_duration: 1_000_000_000,
        load_duration: 100_000_000,
        prompt_eval_count: 12,
        prompt_eval_duration: 200_000_000,
        eval_count: 2,
        eval_duration: 300_000_000,
      },
    ]);
    expect(ended).toBe(true);
    expect(events).toEqual([
      { type: 'text-delta', text: 'Hel' },
      { type: 'text-delta', text: 'lo' },
      { type: 'usage', inputTokens: 12, outputTokens: 2, source: 'upstream' },
      {
        type: 'done',
        finishReason: 'stop',
        timings: { totalMs: 1000, queueMs: 400, loadMs: 100, prefillMs: 200, decodeMs: 300 },
      },
    ]);
  });

  it('delivers text and tool calls of the last record before the end', () => {
    const { events } = decodeAll([
      {
        message: {
          content: 'tail',
          tool_calls: [{ function: { name: 'get', arguments: { city: 'Oslo' } } }],
        },
        done: true,
        done_reason: 'stop',
      },
    ]);
    expect(events.map((event) => event.type)).toEqual(['text-delta', 'tool-call', 'usage', 'done']);
    expect(events.at(-1)).toMatchObject({ finishReason: 'tool_calls' });
  });

  it('puts thinking before text when one record holds both', () => {
    const { events } = decodeAll([{ message: { content: 'b', thinking: 'a' }, done: false }]);
    expect(events).toEqual([
      { type: 'thinking-delta', text: 'a' },
      { type: 'text-delta', text: 'b' },
    ]);
  });

  it('reads generate records', () => {
    const { events } = decodeAll([{ response: 'x', thinking: 'y', done: false }]);
    expect(events.map((event) => event.type)).toEqual(['thinking-delta', 'text-delta']);
  });

  it('keeps two tool calls apart that share index 0 and have no id', () => {
    const call = (city: string) => ({ function: { index: 0, name: 'weather', arguments: { city } } });
    const { events } = decodeAll([
      { message: { content: '', tool_calls: [call('Oslo'), call('Rome')] } },
      { message: { content: '', tool_calls: [call('Kyiv')] } },
    ]);
    expect(events).toMatchObject([
      { id: 'call_0', arguments: { city: 'Oslo' } },
      { id: 'call_1', arguments: { city: 'Rome' } },
      { id: 'call_2', arguments: { city: 'Kyiv' } },
    ]);
  });

  it('takes a done_reason without done as the end', () => {
    expect(decodeAll([{ message: { content: 'x' }, done_reason: 'stop' }]).ended).toBe(true);
  });

  it('has not ended when records stop before the last one', () => {
    expect(decodeAll([{ message: { content: 'x' }, done: false }]).ended).toBe(false);
    expect(decodeAll([]).ended).toBe(false);
  });

  it('says that counts are estimated when the engine gave none', () => {
    const { events } = decodeAll([{ message: { content: 'x' } }, { message: { content: '' }, done: true }]);
    expect(events.at(-2)).toEqual({ type: 'usage', inputTokens: 0, outputTokens: 1, source: 'estimated' });
  });

  it.each([
    [
      'a string',
      { error: 'model runner has unexpectedly stopped' },
      'runner_crashed',
      /unexpectedly stopped/,
    ],
    ['an object', { error: { message: 'boom', type: 'x' } }, 'upstream_error', /^boom$/],
    [
      'JSON in a string',
      { error: '{"error":{"code":400,"message":"too long","type":"exceed_context_size_error"}}' },
      'context_overflow',
      /^too long$/,
    ],
  ])('turns an error that is %s into an error event', (_name, record, code, message) => {
    const { events } = decodeAll([record, { message: { content: 'ignored' } }]);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ type: 'error', code, message: expect.stringMatching(message) });
  });

  it.each([[null], [[]], ['text'], [3]])('refuses %j as a record', (record) => {
    expect(() => decodeAll([record])).toThrow(/not a JSON object/);
  });

  it('reads hostile shapes without throwing', () => {
    const { events } = decodeAll([
      { message: 'text', response: 5, thinking: {}, tool_calls: 'none' },
      { message: { content: ['x'], tool_calls: [{ function: { name: 'f', arguments: 'not an object' } }] } },
      { done: true, done_reason: 7, eval_count: -1, total_duration: 'long' },
    ]);
    expect(events).toMatchObject([
      { type: 'tool-call', arguments: {} },
      { type: 'usage', source: 'estimated' },
      { type: 'done' },
    ]);
  });

  it.each([[null], [{}], [{ function: null }], [{ function: { name: '' } }], [7]])(
    'refuses %j as a tool call: one that is lost would look like an answer without it',
    (call) => {
      expect(() => decodeAll([{ message: { content: '', tool_calls: [call] } }])).toThrow(/no name/);
    },
  );

  it('refuses a record that names another model: it belongs to another answer', () => {
    const record = (model: string) => ({ model, message: { content: 'a' } });
    expect(() => decodeAll([record('m'), record('m'), record('n')])).toThrow(/another model/);
    expect(() => decodeAll([record('m'), record('m:7b')])).toThrow(/another model/);
    // The tag that stands for none names no other model.
    expect(() => decodeAll([record('m:latest'), record('m'), record('m:latest')])).not.toThrow();
    expect(decodeAll([record('m'), record(''), { message: { content: 'b' } }]).events).toHaveLength(3);
  });

  describe.skipIf(!here)('transcripts', () => {
    it.each([
      ['chat-basic.ndjson', 'stop'],
      ['chat-length.ndjson', 'length'],
      ['chat-thinking.ndjson', 'stop'],
      ['chat-thinking-mixed-chunk.ndjson', 'stop'],
      ['chat-thinking-structured.ndjson', 'stop'],
      ['chat-html-escape.ndjson', 'stop'],
      ['chat-logprobs.ndjson', 'stop'],
      ['chat-tools-single.ndjson', 'tool_calls'],
      ['chat-tools-parallel.ndjson', 'tool_calls'],
      ['chat-tools-on-done-rendered.ndjson', 'tool_calls'],
      ['chat-tools-native-final.ndjson', 'tool_calls'],
      ['generate-basic.ndjson', 'stop'],
      ['generate-context.ndjson', 'stop'],
      ['generate-thinking.ndjson', 'stop'],
    ])('%s ends with %s', (name, finishReason) => {
      const { events, ended } = decodeAll(fixture(name));
      expect(ended).toBe(true);
      expect(events.at(-1)).toMatchObject({ type: 'done', finishReason });
    });

    it('chat-html-escape.ndjson gives the characters that were escaped', () => {
      expect(textOf(decodeAll(fixture('chat-html-escape.ndjson')).events)).toMatch(/[<>&]/);
    });

    it.each([['chat-truncated-no-done.ndjson'], ['chat-empty-200.ndjson']])('%s has no end', (name) => {
      expect(decodeAll(fixture(name)).ended).toBe(false);
    });

    it.each([['chat-error-midstream.ndjson'], ['chat-legacy-error-first-line.ndjson']])(
      '%s ends with an error',
      (name) => {
        expect(decodeAll(fixture(name)).events.at(-1)).toMatchObject({ type: 'error' });
      },
    );
  });
});
