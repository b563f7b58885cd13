import { describe, expect, test } from 'vitest';
import { type Bench, eventsIn, hello, problemIn, prompt, startBench } from './harness.ts';

const call = { function: { name: 'weather', arguments: { city: 'Oslo' } } };
const tool = { type: 'function', function: { name: 'weather', parameters: { type: 'object' } } };
const message = (more: object) => ({ ...hello, messages: [{ role: 'user', content: 'x', ...more }] });

async function refusal(bench: Bench, path: string, body: unknown): Promise<string> {
  const problem = await problemIn(await bench.answer(path, { body }));
  expect(problem).toMatchObject({ code: 'bad_request', status: 400, retryable: false });
  expect(bench.ollama.fake.report().requests).toEqual([]);
  return problem.detail;
}

describe('a wrong body is refused, its members named and its values never repeated', () => {
  test.each<[string, string, unknown, string]>([
    ['no model', '/chat', { messages: hello.messages }, 'model:'],
    ['a model that is no text', '/chat', { ...hello, model: 7 }, 'model:'],
    ['an empty model', '/chat', { ...hello, model: '' }, 'model:'],
    ['a very long model', '/chat', { ...hello, model: 'canary'.repeat(50) }, 'model:'],
    ['no messages', '/chat', { model: 'stand-in' }, 'messages:'],
    [
      'empty messages, which would unload the model',
      '/chat',
      { ...hello, messages: [], keep_alive: 0 },
      'messages:',
    ],
    ['1,001 messages', '/chat', { ...hello, messages: new Array(1001).fill(hello.messages[0]) }, 'messages:'],
    ['an unknown role', '/chat', message({ role: 'canary' }), 'messages.0.role:'],
    ['content that is a list', '/chat', message({ content: ['canary'] }), 'messages.0.content:'],
    [
      'an unknown member of a message',
      '/chat',
      message({ name: 'canary' }),
      'messages.0: unknown member "name"',
    ],
    [
      'an image with its data prefix',
      '/chat',
      message({ images: ['data:image/png;base64,canary'] }),
      'messages.0.images.0: must be plain base64',
    ],
    ['an image that is an address', '/chat', message({ images: ['http://canary/'] }), 'messages.0.images.0'],
    [
      'a call without a name',
      '/chat',
      message({ role: 'assistant', tool_calls: [{ function: { arguments: {} } }] }),
      'messages.0.tool_calls.0.function.name',
    ],
    [
      'arguments as text',
      '/chat',
      message({ tool_calls: [{ function: { name: 'x', arguments: '"canary"' } }] }),
      'messages.0.tool_calls.0.function.arguments',
    ],
    ['129 tools', '/chat', { ...hello, tools: new Array(129).fill(tool) }, 'tools:'],
    [
      'a tool that is no function',
      '/chat',
      { ...hello, tools: [{ ...tool, type: 'canary' }] },
      'tools.0.type:',
    ],
    ['an unknown level of thinking', '/chat', { ...hello, think: 'canary' }, 'think:'],
    ['a format that is a text', '/chat', { ...hello, format: 'canary' }, 'format:'],
    ['options that are a list', '/chat', { ...hello, options: ['canary'] }, 'options:'],
    ['a temperature that is a text', '/chat', { ...hello, temperature: 'canary' }, 'temperature:'],
    ['max_tokens of 0', '/chat', { ...hello, max_tokens: 0 }, 'max_tokens:'],
    ['max_tokens of a part', '/chat', { ...hello, max_tokens: 1.5 }, 'max_tokens:'],
    ['stream that is a text', '/chat', { ...hello, stream: 'canary' }, 'stream:'],
    ['an unknown member', '/chat', { ...hello, user: 'canary' }, 'unknown member "user"'],
    ['a prompt on /chat', '/chat', { ...hello, prompt: 'canary' }, 'unknown member "prompt"'],
    ['messages on /generate', '/generate', { ...prompt, messages: [] }, 'unknown member "messages"'],
    ['the old context of Ollama', '/generate', { ...prompt, context: [1, 2] }, 'unknown member "context"'],
    [
      'a template of their own',
      '/generate',
      { ...prompt, template: '{{ canary }}' },
      'unknown member "template"',
    ],
    [
      'an empty prompt, which would unload the model',
      '/generate',
      { ...prompt, prompt: '', keep_alive: 0 },
      'prompt:',
    ],
    ['no prompt', '/generate-complete', { model: 'stand-in' }, 'prompt:'],
    ['a stored conversation', '/chat', { ...hello, context_id: 'canary' }, 'leave out context_id'],
    ['a stored conversation of nobody', '/generate', { ...prompt, context_id: null }, 'leave out context_id'],
  ])('%s', async (_what, path, body, expected) => {
    const bench = await startBench();
    const detail = await refusal(bench, path, body);
    expect(detail).toContain(expected);
    expect(`${detail}${JSON.stringify(bench.logs)}`).not.toContain('canary');
  });

  test('the name of an unknown member is shortened and cleaned', async () => {
    const detail = await refusal(await startBench(), '/chat', { ...hello, [`<b>\n"${'x'.repeat(100)}`]: 1 });
    expect(detail).toContain(`unknown member "?b???${'x'.repeat(35)}"`);
  });

  test('ten thousand unknown members are not all repeated', async () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`member-${index}`, index]));
    expect((await refusal(await startBench(), '/chat', { ...hello, ...many })).length).toBeLessThan(500);
  });

  test('ten thousand wrong messages are not all listed', async () => {
    const messages = new Array(1000).fill({ role: 'x', content: 1 });
    expect((await refusal(await startBench(), '/chat', { ...hello, messages })).length).toBeLessThan(1000);
  });

  test('a member named __proto__ changes nothing', async () => {
    const bench = await startBench();
    const body = JSON.stringify(hello).replace('{', '{"__proto__":{"stream":false,"context_id":"x"},');
    const events = await eventsIn(await bench.answer('/chat', { body }));
    expect(events.at(-1)?.type).toBe('done');
    expect(({} as { context_id?: string }).context_id).toBeUndefined();
  });
});

describe('a whole body', () => {
  test('with everything it may hold arrives at the model server', async () => {
    const bench = await startBench(
      {},
      { models: [{ name: 'all', capabilities: ['completion', 'tools', 'thinking', 'vision'] }] },
    );
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi', images: ['AAAA'] },
      { role: 'assistant', content: '', thinking: 'hm', tool_calls: [call] },
      { role: 'tool', content: '7 °C', tool_name: 'weather', tool_call_id: 'c1' },
    ];
    const body = { model: 'all', messages, tools: [tool], think: true, truncate: false };
    await eventsIn(await bench.answer('/chat', { body }));
    const sent = bench.ollama.fake.report().requests.find(({ path }) => path === '/api/chat')?.body;
    expect(sent).toMatchObject({ messages, tools: [tool], think: true, truncate: false, stream: true });
  });
});
