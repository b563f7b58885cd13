import { describe, expect, it } from 'vitest';
import { encodeOpenAiChat, encodeOpenAiGenerate } from './encode-request.ts';

const messages = [{ role: 'user', content: 'Hi' }] as const;

describe('encodeOpenAiChat()', () => {
  it('asks for a stream with usage', () => {
    expect(encodeOpenAiChat({ model: 'm', messages }, true)).toEqual({
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      stream: true,
      stream_options: { include_usage: true },
    });
    expect(encodeOpenAiChat({ model: 'm', messages }, false)).not.toHaveProperty('stream_options');
  });

  it('maps options, and leaves out what only Ollama can do', () => {
    const options = {
      temperature: 0.2,
      num_predict: 50,
      num_ctx: 8192,
      top_k: 5,
      stop: ['x'],
      seed: undefined,
      max_completion_tokens: 9,
    };
    const body = encodeOpenAiChat({ model: 'm', messages, options, keepAlive: '5m' }, false);
    expect(body).toEqual({
      model: 'm',
      messages,
      stream: false,
      temperature: 0.2,
      max_tokens: 50,
      top_k: 5,
      stop: ['x'],
      max_completion_tokens: 9,
    });
    expect(
      encodeOpenAiChat({ model: 'm', messages, options: { num_predict: -1 } }, false),
    ).not.toHaveProperty('max_tokens');
  });

  it('options cannot replace the model, the messages or the stream', () => {
    const options = { model: 'other', messages: [], stream: false };
    expect(encodeOpenAiChat({ model: 'm', messages, options }, true)).toMatchObject({
      model: 'm',
      messages,
      stream: true,
    });
  });

  it.each([
    [false, 'none'],
    ['low', 'low'],
    ['max', 'high'],
    [true, undefined],
    [undefined, undefined],
  ] as const)('think %s is effort %s', (think, effort) => {
    expect(encodeOpenAiChat({ model: 'm', messages, think }, true)['reasoning_effort']).toBe(effort);
  });

  it('formats', () => {
    expect(encodeOpenAiChat({ model: 'm', messages, format: 'json' }, true)['response_format']).toEqual({
      type: 'json_object',
    });
    const schema = { type: 'object' };
    expect(encodeOpenAiChat({ model: 'm', messages, format: schema }, true)['response_format']).toEqual({
      type: 'json_schema',
      json_schema: { name: 'answer', schema },
    });
  });

  it('tools, their calls and their answers', () => {
    const body = encodeOpenAiChat(
      {
        model: 'm',
        messages: [
          {
            role: 'assistant',
            content: '',
            thinking: 'Hm',
            toolCalls: [{ id: 'c1', name: 'f', arguments: { x: 1 } }],
          },
          { role: 'tool', content: '2', toolName: 'f', toolCallId: 'c1' },
        ],
        tools: [{ name: 'f', parameters: { type: 'object' } }],
      },
      true,
    );
    expect(body['messages']).toEqual([
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{"x":1}' } }],
      },
      { role: 'tool', content: '2', tool_call_id: 'c1' },
    ]);
    expect(body['tools']).toEqual([
      { type: 'function', function: { name: 'f', parameters: { type: 'object' } } },
    ]);
  });

  it.each([
    ['iVBORw0K', 'png'],
    ['/9j/4AAQ', 'jpeg'],
    ['R0lGODlh', 'gif'],
    ['UklGRh4A', 'webp'],
  ])('images go as data URLs of their own type: %s', (image, type) => {
    const body = encodeOpenAiChat(
      { model: 'm', messages: [{ role: 'user', content: 'What?', images: [image] }] },
      true,
    );
    expect(body['messages']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What?' },
          { type: 'image_url', image_url: { url: `data:image/${type};base64,${image}` } },
        ],
      },
    ]);
  });
});

describe('encodeOpenAiGenerate()', () => {
  it('is a chat with one message', () => {
    const { kind, body } = encodeOpenAiGenerate({ model: 'm', prompt: 'Hi', system: 'Be brief' }, true);
    expect(kind).toBe('chat');
    expect(body['messages']).toEqual([
      { role: 'system', content: 'Be brief' },
      { role: 'user', content: 'Hi' },
    ]);
  });

  it('is a plain completion for a raw prompt and for a gap', () => {
    expect(encodeOpenAiGenerate({ model: 'm', prompt: 'a', suffix: 'c' }, true)).toMatchObject({
      kind: 'completion',
      body: { prompt: 'a', suffix: 'c', stream: true },
    });
    expect(encodeOpenAiGenerate({ model: 'm', prompt: 'a', raw: true }, true)).toMatchObject({
      kind: 'completion',
      body: { prompt: 'a' },
    });
  });
});
