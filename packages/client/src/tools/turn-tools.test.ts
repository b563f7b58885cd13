import { callTool, createFakeOllama, say } from '@ziggie/llm-testing';
import { expect, it } from 'vitest';
import { createConversation } from '../conversation/create-conversation.ts';
import { createClient } from '../create-client.ts';
import { defineTool } from './define-tool.ts';
import { turnTools } from './turn-tools.ts';

const jsonSchema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const open = (...args: Parameters<typeof turnTools>) => {
  const fake = createFakeOllama();
  const client = createClient({ baseUrl: 'http://fake', target: 'ollama', fetch: fake.fetch });
  const conversation = createConversation({ client, model: 'stand-in', tools: turnTools(...args) });
  const answer = () => conversation.message(conversation.messageIds.get().at(-1) as string).get();
  return { fake, conversation, answer };
};

it('turnTools() runs the tools of a conversation, over the stand-in', async () => {
  const weather = defineTool({
    name: 'weather',
    description: 'The weather in a city.',
    jsonSchema,
    execute: ({ city }) => ({ city, celsius: 12 }),
  });
  const erase = defineTool({
    name: 'erase',
    description: 'Deletes everything.',
    jsonSchema,
    needsApproval: true,
    execute: () => 'gone',
  });
  const asked: string[] = [];
  const { fake, conversation, answer } = open([weather, erase], {
    approve: ({ name }) => {
      asked.push(name);
      return { approved: false, reason: 'not today' };
    },
  });
  fake.script([say('Let me see. '), callTool('weather', { city: 'Oslo' }), callTool('erase', { city: 'x' })]);
  fake.script([say('12 degrees.')]);
  await conversation.send('Weather in Oslo?');
  expect(asked).toEqual(['erase']);
  expect(answer()).toMatchObject({
    text: 'Let me see. 12 degrees.',
    end: { kind: 'complete', finishReason: 'stop' },
    toolCalls: [
      { name: 'weather', state: 'done', result: '{"city":"Oslo","celsius":12}' },
      { name: 'erase', state: 'denied', result: 'The user did not allow this call: not today' },
    ],
  });
  conversation.dispose();
});

it('turnTools() ends a turn in which the model repeats itself, with tool_loop', async () => {
  let runs = 0;
  const weather = defineTool({ name: 'weather', description: 'x', jsonSchema, execute: () => `${++runs}` });
  const { fake, conversation, answer } = open([weather]);
  for (let round = 0; round < 6; round++) fake.script([callTool('weather', { city: 'Oslo' })]);
  await conversation.send('Weather?');
  expect(runs).toBe(1);
  expect(answer()).toMatchObject({ end: { failure: { code: 'tool_loop' } } });
  expect(() => turnTools([weather, weather])).toThrow(TypeError);
  conversation.dispose();
});
