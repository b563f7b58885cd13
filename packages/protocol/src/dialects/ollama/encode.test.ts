import { expect, it } from 'vitest';
import type { ChatRequest } from '../../chat.ts';
import { encodeOllamaChat } from './encode-chat.ts';
import { encodeOllamaGenerate } from './encode-generate.ts';

it('encodeOllamaChat() writes Ollama names and leaves the request as it was', () => {
  const request: ChatRequest = {
    model: 'm',
    messages: [
      { role: 'user', content: 'weather?', images: ['AAAA'] },
      {
        role: 'assistant',
        content: '',
        toolCalls: [{ id: 'call_1', name: 'get', arguments: { city: 'Oslo' } }],
      },
      { role: 'tool', content: '4 C', toolName: 'get', toolCallId: 'call_1' },
    ],
    tools: [{ name: 'get', description: 'Weather', parameters: { type: 'object' } }],
    think: false,
    keepAlive: '10m',
    options: { temperature: 0 },
  };
  const before = structuredClone(request);
  expect(encodeOllamaChat(request, true)).toEqual({
    model: 'm',
    stream: true,
    messages: [
      { role: 'user', content: 'weather?', images: ['AAAA'] },
      {
        role: 'assistant',
        content: '',
        tool_calls: [{ id: 'call_1', function: { name: 'get', arguments: { city: 'Oslo' } } }],
      },
      { role: 'tool', content: '4 C', tool_name: 'get', tool_call_id: 'call_1' },
    ],
    tools: [
      { type: 'function', function: { name: 'get', description: 'Weather', parameters: { type: 'object' } } },
    ],
    think: false,
    keep_alive: '10m',
    options: { temperature: 0 },
  });
  expect(request).toEqual(before);
});

it('encodeOllamaGenerate() sends only what was given', () => {
  expect(encodeOllamaGenerate({ model: 'm', prompt: 'p' }, false)).toEqual({
    model: 'm',
    prompt: 'p',
    stream: false,
  });
});
