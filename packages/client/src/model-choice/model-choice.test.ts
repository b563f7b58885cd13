import { createFakeOllama, error, say } from '@ziggie/llm-testing';
import { describe, expect, it } from 'vitest';
import { createManualClock, instantClock, noTimeouts } from '../../test/clock.ts';
import { createClient, createModelChoice, recommendedModels } from '../index.ts';

const image =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const messages = [{ role: 'user' as const, content: 'Hello' }];

function setUp(models: Parameters<typeof createFakeOllama>[0] = {}, clock = instantClock()) {
  const fake = createFakeOllama({ tokensPerSecond: Infinity, ...models });
  const client = createClient({
    baseUrl: 'http://ollama.test',
    target: 'ollama',
    fetch: fake.fetch,
    retry: { maxAttempts: 1 },
    clock,
    // What is loaded with the first failure takes real time, and this clock none.
    timeouts: noTimeouts,
  });
  const lists = () => fake.report().requests.filter(({ path }) => path === '/api/tags').length;
  return { fake, client, lists };
}
const all = ['mistral', 'llama3.2', 'codellama:7b', 'qwen2.5-coder:7b', 'llama3.1:8b'];

describe('createModelChoice()', () => {
  it('takes the first of the seed for each task', async () => {
    const { client } = setUp({ models: all });
    const choice = createModelChoice(client);
    for (const [task, first] of [
      ['chat', 'mistral:latest'],
      ['code', 'codellama:7b'],
      ['quick', 'llama3.2:latest'],
      ['quality', 'llama3.1:8b'],
    ] as const) {
      expect((await choice.candidates(task))[0]).toBe(first);
      const result = await choice.chat(task, { messages }).final();
      expect(result.choice).toEqual({ asked: recommendedModels[task], served: first, skipped: [] });
      expect(result.model).toBe(first);
    }
  });

  it('takes the next one that is there, then any other', async () => {
    const { client } = setUp({ models: ['gemma3:4b', 'qwen2.5-coder:7b'] });
    const choice = createModelChoice(client);
    expect(await choice.candidates('code')).toEqual(['qwen2.5-coder:7b', 'gemma3:4b']);
    expect((await choice.generate('chat', { prompt: 'Hello' }).final()).choice.served).toBe('gemma3:4b');
    expect(await createModelChoice(client, { onlyNamed: true }).candidates('chat')).toEqual([]);
  });

  it('prefers models in memory among those that no task names, and leaves out what cannot chat', async () => {
    const { client } = setUp({
      models: ['a', 'b', { name: 'embedder', capabilities: ['embedding'] }],
    });
    await client.chat({ model: 'b', messages }).text();
    expect(await createModelChoice(client).candidates('chat')).toEqual(['b:latest', 'a:latest']);
  });

  it('reads from the request what the model must be able to do', async () => {
    const { client } = setUp({
      models: [
        { name: 'llama3.2', capabilities: ['completion'] },
        { name: 'sees', capabilities: ['completion', 'vision'] },
        { name: 'calls', capabilities: ['completion', 'tools'] },
        { name: 'thinks', capabilities: ['completion', 'thinking'] },
        { name: 'fills', capabilities: ['completion', 'insert'] },
      ],
    });
    const choice = createModelChoice(client);
    const served = async (stream: ReturnType<typeof choice.chat>) => (await stream.final()).choice.served;
    const withImage = [{ role: 'user' as const, content: 'What?', images: [image] }];
    expect(await served(choice.chat('quick', { messages }))).toBe('llama3.2:latest');
    expect(await served(choice.chat('quick', { messages: withImage }))).toBe('sees:latest');
    expect(await served(choice.generate('quick', { prompt: 'What?', images: [image] }))).toBe('sees:latest');
    const tools = [{ name: 't', parameters: { type: 'object' } }];
    expect(await served(choice.chat('quick', { messages, tools }))).toBe('calls:latest');
    expect(await served(choice.chat('quick', { messages, think: true }))).toBe('thinks:latest');
    expect(await served(choice.generate('code', { prompt: 'a', suffix: 'b' }))).toBe('fills:latest');
  });

  it.each([
    [
      'overloaded',
      error('server busy, please try again.  maximum pending requests exceeded', { status: 503 }),
      'server_busy',
    ],
    [
      'gone since the list was read',
      error('model "mistral:latest" not found, try pulling it first', { status: 404 }),
      'model_not_found',
    ],
  ])('falls back on a model that is %s, and says so', async (_, step, code) => {
    const { fake, client } = setUp({ models: all });
    fake.script(step, { model: 'mistral' });
    fake.script(say('Hi'), { model: 'llama3.2' });
    const stream = createModelChoice(client).chat('chat', { messages });
    const models: string[] = [];
    for await (const event of stream) if (event.type === 'start') models.push(event.model);
    const { choice, text, attempts } = await stream.final();
    expect(text).toBe('Hi');
    expect(choice).toEqual({
      asked: ['mistral:latest', 'llama3.2:latest'],
      served: 'llama3.2:latest',
      skipped: [{ model: 'mistral:latest', code }],
    });
    expect(attempts.map((attempt) => attempt.code)).toEqual([code, undefined]);
    expect(models).toEqual(['llama3.2:latest']);
  });

  it('does not fall back after the first token, nor when the request is wrong', async () => {
    const { fake, client } = setUp({ models: all });
    const choice = createModelChoice(client);
    fake.script([say('Half an'), error('server busy, please try again.  maximum pending requests exceeded')]);
    await expect(choice.chat('chat', { messages }).final()).rejects.toMatchObject({
      code: 'server_busy',
      partial: { text: 'Half an' },
    });
    fake.script(error('invalid options', { status: 400 }));
    await expect(choice.chat('chat', { messages }).final()).rejects.toMatchObject({ code: 'bad_request' });
    expect(fake.report().requests.filter(({ path }) => path === '/api/chat')).toHaveLength(2);
  });

  it('rejects with the last failure when none answers, and with model_not_found when there is none', async () => {
    const { fake, client } = setUp({ models: ['mistral', 'llama3.2'] });
    const busy = error('server busy, please try again.  maximum pending requests exceeded', { status: 503 });
    fake.script(busy, { times: 2 });
    await expect(createModelChoice(client).chat('chat', { messages }).final()).rejects.toMatchObject({
      code: 'server_busy',
      attempts: [{ status: 503 }, { status: 503 }],
    });
    const empty = setUp({ models: [{ name: 'e', capabilities: ['embedding'] }] });
    await expect(createModelChoice(empty.client).chat('code', { messages }).final()).rejects.toThrow(
      'Choosing a model for "code": the server has none. Pull one: ollama pull codellama:7b',
    );
  });

  it('asks for the list once in a while', async () => {
    const clock = createManualClock();
    const { client, lists } = setUp({ models: all, clock } as never, clock as never);
    const choice = createModelChoice(client);
    await choice.candidates('chat');
    await choice.candidates('code');
    expect(lists()).toBe(1);
    await clock.advance(30_000);
    await choice.candidates('chat');
    expect(lists()).toBe(2);
  });

  it('takes tasks of your own, and refuses those that are not there', async () => {
    const { client } = setUp({ models: all });
    const choice = createModelChoice(client, { tasks: { poems: ['llama3.1:8b'] } });
    expect((await choice.candidates('poems'))[0]).toBe('llama3.1:8b');
    // @ts-expect-error No such task.
    expect(() => choice.chat('chat', { messages })).toThrow('there is no task "chat". There are: poems.');
    expect(() => choice.chat('toString' as never, { messages })).toThrow(/there is no task/);
  });

  it('stops with its signal, also while it reads the list', async () => {
    const { client } = setUp({ models: all });
    const control = new AbortController();
    const result = createModelChoice(client).chat('chat', { messages }, { signal: control.signal }).final();
    control.abort();
    await expect(result).rejects.toMatchObject({ code: 'aborted' });
  });
});
