import { getEventListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { callTool, say, stall } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { expect, onTestFinished, test } from 'vitest';
import { question as anyQuestion } from '../../test/samples.ts';
import { serve } from '../../test/scripted-server.ts';
import { createAdmin } from '../admin.ts';
import { createClient } from '../index.ts';
import { Ollama } from '../ollama.ts';
import { defineTool, object, runTools, type StandardSchema } from '../tools.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const question = { ...anyQuestion, model: 'stand-in' };

/** A schema that every value fits. */
const anything: StandardSchema = {
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) },
};

/** Lets finalizers run, until the condition holds. */
async function collectUntil(holds: () => boolean): Promise<void> {
  for (let round = 0; round < 200 && !holds(); round++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a stream that was begun and then dropped closes its connection when it is collected', async () => {
  const server = await startFakeOllama({ tokensPerSecond: Infinity });
  onTestFinished(() => server.close());
  server.fake.script([say('half'), stall()]);
  const client = createClient({ baseUrl: server.url, target: 'ollama' });
  await (async () => {
    const iterator = client.chat(question)[Symbol.asyncIterator]();
    for (let step = await iterator.next(); step.value?.type !== 'text-delta'; ) step = await iterator.next();
  })();
  expect(server.fake.report().openGenerations).toBe(1);
  await collectUntil(() => server.fake.report().openGenerations === 0);
  expect(server.fake.report()).toMatchObject({ openGenerations: 0, disconnects: [{}] });
});

test('the progress of a pull that was begun and then dropped closes its connection when it is collected', async () => {
  const server = await serve(({ response }) => {
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    response.write('{"status":"pulling manifest"}\n');
    response.on('close', () => closed.push('closed'));
  });
  const closed: string[] = [];
  const admin = createAdmin(createClient({ baseUrl: server.url, target: 'ollama' }));
  await (async () => {
    const iterator = admin.pull('llama3.2')[Symbol.asyncIterator]();
    await iterator.next();
  })();
  expect(closed).toEqual([]);
  await collectUntil(() => closed.length > 0);
  expect(closed).toEqual(['closed']);
});

test('the progress of a pull whose next step is waited for is not dropped', async () => {
  const server = await serve(({ response }) => {
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    response.write('{"status":"pulling manifest"}\n');
    setTimeout(() => response.end('{"status":"success"}\n'), 300);
  });
  const admin = createAdmin(createClient({ baseUrl: server.url, target: 'ollama' }));
  let over = false;
  const waited = (async () => {
    const seen: string[] = [];
    for await (const { status } of admin.pull('llama3.2')) seen.push(status);
    return seen;
  })().finally(() => {
    over = true;
  });
  await collectUntil(() => over);
  expect(await waited).toEqual(['pulling manifest', 'success']);
});

test.each([
  ['unread', false],
  ['after its first record', true],
])(
  "the facade's stream that was dropped %s closes its connection when it is collected",
  async (_, isRead) => {
    const server = await startFakeOllama({ tokensPerSecond: Infinity });
    onTestFinished(() => server.close());
    server.fake.script([say('half'), stall()]);
    const ollama = new Ollama({ host: server.url });
    await (async () => {
      const stream = await ollama.chat({
        model: 'stand-in',
        messages: [{ role: 'user', content: 'Hi' }],
        stream: true,
      });
      if (isRead) expect(await stream[Symbol.asyncIterator]().next()).toMatchObject({ done: false });
    })();
    expect(server.fake.report().openGenerations).toBe(1);
    await collectUntil(() => server.fake.report().openGenerations === 0);
    expect(server.fake.report()).toMatchObject({ openGenerations: 0, disconnects: [{}] });
  },
);

test("the facade's stream whose next record is waited for is not dropped", async () => {
  const server = await startFakeOllama({ tokensPerSecond: Infinity });
  onTestFinished(() => server.close());
  server.fake.script([say('a'), stall(400), say('b')]);
  let over = false;
  const waited = (async () => {
    let text = '';
    const messages = [{ role: 'user', content: 'Hi' }];
    const ollama = new Ollama({ host: server.url });
    for await (const { message } of await ollama.chat({ model: 'stand-in', messages, stream: true }))
      text += message.content;
    return text;
  })().finally(() => {
    over = true;
  });
  await collectUntil(() => over);
  expect(await waited).toBe('ab');
});

test('a stream whose next event or result is waited for is not dropped', async () => {
  const server = await startFakeOllama({ tokensPerSecond: Infinity });
  onTestFinished(() => server.close());
  server.fake.script([say('a'), stall(400), say('b')], { times: 2 });
  const client = createClient({ baseUrl: server.url, target: 'ollama' });
  const waited = (async () => {
    let text = '';
    for await (const event of client.chat(question)) if (event.type === 'text-delta') text += event.text;
    return text;
  })();
  const result = client.chat(question).text();
  let over = false;
  void Promise.all([waited, result]).finally(() => {
    over = true;
  });
  await collectUntil(() => over);
  expect(await Promise.all([waited, result])).toEqual(['ab', 'ab']);
});

test.each(['runTools', 'object'] as const)(
  'a stream of %s() that was begun and dropped leaves nothing at a signal that lives on, and closes its connection',
  async (kind) => {
    const server = await startFakeOllama({ tokensPerSecond: Infinity });
    onTestFinished(() => server.close());
    server.fake.script([say('{"half": 1'), stall()]);
    const client = createClient({ baseUrl: server.url, target: 'ollama' });
    // One for all calls, as a server may have that ends them when it closes.
    const { signal } = new AbortController();
    await (async () => {
      const stream =
        kind === 'runTools'
          ? runTools(client, { ...question, tools: [] }, { signal })
          : object(client, { ...question, schema: anything, jsonSchema: { type: 'object' } }, { signal });
      expect(await stream[Symbol.asyncIterator]().next()).toMatchObject({ done: false });
    })();
    expect(server.fake.report().openGenerations).toBe(1);
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await collectUntil(() => server.fake.report().openGenerations === 0);
    expect(server.fake.report()).toMatchObject({ openGenerations: 0, disconnects: [{}] });
    await collectUntil(() => getEventListeners(signal, 'abort').length === 0);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  },
);

test('a tool run that waits for what never comes is ended by its signal, however much was collected meanwhile', async () => {
  const server = await startFakeOllama({ tokensPerSecond: Infinity });
  onTestFinished(() => server.close());
  server.fake.script([callTool('ask', {})]);
  const client = createClient({ baseUrl: server.url, target: 'ollama' });
  const control = new AbortController();
  let asked = false;
  const execute = () => {
    asked = true;
    return new Promise<string>(() => {});
  };
  const text = (() => {
    const tools = [defineTool({ name: 'ask', description: 'Asks somebody.', execute })];
    return runTools(
      client,
      { ...question, tools },
      { signal: control.signal, toolTimeoutMs: Infinity },
    ).text();
  })();
  const failed = expect(text).rejects.toMatchObject({ code: 'aborted', cause: 'enough' });
  await expect.poll(() => asked).toBe(true);
  let rounds = 0;
  await collectUntil(() => ++rounds > 5);
  control.abort('enough');
  await failed;
});
