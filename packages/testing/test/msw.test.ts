import { setupServer } from 'msw/node';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  createFakeOllama,
  createFakeOpenAI,
  createManualClock,
  cut,
  fault,
  say,
  stall,
} from '../src/index.ts';
import { ollamaHandlers, openAiHandlers } from '../src/msw.ts';
import { ask } from './doors.ts';

const clock = createManualClock();
const fake = createFakeOllama({ clock, tokensPerSecond: Number.POSITIVE_INFINITY });
const openAi = createFakeOpenAI({ clock, tokensPerSecond: Number.POSITIVE_INFINITY });
const server = setupServer(
  ...ollamaHandlers(fake),
  ...ollamaHandlers(fake, { baseUrl: 'https://gpu.example/ollama/' }),
  ...openAiHandlers(openAi),
);

beforeAll(() => server.listen());
afterEach(() => {
  fake.reset();
  openAi.reset();
});
afterAll(() => server.close());

const post = (url: string, body: unknown, init: RequestInit = {}) =>
  fetch(url, { method: 'POST', body: JSON.stringify(body), ...init });

describe('handlers for MSW', () => {
  it.each(['http://127.0.0.1:11434', 'http://localhost:11434', 'https://gpu.example/ollama'])(
    'answer at %s',
    async (base) => {
      fake.script(say('from the stand-in'));
      expect(await (await fetch(`${base}/`)).text()).toBe('Ollama is running');
      const answer = await post(`${base}/api/chat`, ask('hi', { stream: false }));
      expect((await answer.json()).message.content).toBe('from the stand-in');
      expect((await fetch(`${base}/api/nope`)).status).toBe(404);
    },
  );

  it('stream: what was written is there before the rest is', async () => {
    fake.script([say('first'), stall(60_000), say(' last')]);
    const response = await post('http://127.0.0.1:11434/api/chat', ask('hi'));
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const { value } = await reader.read();
    expect(new TextDecoder().decode(value)).toContain('"content":"first"');
    const next = reader.read();
    await clock.advance(60_000);
    expect(new TextDecoder().decode((await next).value)).toContain(' last');
    await reader.cancel();
  });

  it('an abort frees the slot', async () => {
    fake.script([say('first'), stall()]);
    const leaving = new AbortController();
    const response = await post('http://127.0.0.1:11434/api/chat', ask('hi'), { signal: leaving.signal });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    leaving.abort();
    await expect(reader.read()).rejects.toMatchObject({ name: 'AbortError' });
    await fake.waitFor((report) => report.openGenerations === 0 && report.disconnects.length === 1);
  });

  it.each([['F001'], ['F006']])('%s is a network error', async (id) => {
    fake.script(fault(id));
    await expect(post('http://127.0.0.1:11434/api/chat', ask('hi'))).rejects.toBeInstanceOf(TypeError);
  });

  it('a cut stream breaks', async () => {
    fake.script([say('first'), cut('reset')]);
    const response = await post('http://127.0.0.1:11434/api/chat', ask('hi'));
    await expect(response.text()).rejects.toThrow();
  });

  it('the clients of Ollama and OpenAI see no difference', async () => {
    fake.script(say('Hello from far away'));
    const ollama = new Ollama({ host: 'http://127.0.0.1:11434' });
    let text = '';
    for await (const part of await ollama.chat({ ...ask('hi'), stream: true })) text += part.message.content;
    expect(text).toBe('Hello from far away');
    openAi.script(say('And from OpenAI'));
    const client = new OpenAI({ apiKey: 'any', maxRetries: 0 });
    const stream = await client.chat.completions.create({
      model: 'stand-in',
      stream: true,
      messages: [{ role: 'user', content: 'hi' }],
    });
    let said = '';
    for await (const chunk of stream) said += chunk.choices[0]?.delta.content ?? '';
    expect(said).toBe('And from OpenAI');
  });
});
