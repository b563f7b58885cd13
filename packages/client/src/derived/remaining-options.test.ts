import { expect, test } from 'vitest';
import { instantClock, noTimeouts } from '../../test/clock.ts';
import { last, piece, question } from '../../test/samples.ts';
import { lines, reply, serve } from '../../test/scripted-server.ts';
import { type CallOptions, createClient, createModelChoice } from '../index.ts';
import { defineTool, object, runTools } from '../tools.ts';

const answer = '{"ok":true}';
const tags = reply(200, JSON.stringify({ models: [{ name: 'm', model: 'm' }] }));

const ways: [string, (client: ReturnType<typeof createClient>, options: CallOptions) => Promise<unknown>][] =
  [
    [
      'runTools()',
      (client, options) => {
        const tool = defineTool({ name: 'f', description: '', execute: () => 'done' });
        return runTools(client, { ...question, tools: [tool] }, options).text();
      },
    ],
    [
      'object()',
      async (client, options) => {
        const schema = {
          '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) },
        } as const;
        return JSON.stringify(await object(client, { ...question, schema, jsonSchema: {} }, options).value());
      },
    ],
    [
      'a model that is chosen',
      (client, options) =>
        createModelChoice(client, { tasks: { any: ['m'] } })
          .chat('any', { messages: question.messages }, options)
          .text(),
    ],
  ];

test.each(ways)('%s obeys every option of a call: hooks and recovery too', async (_, ask) => {
  let asked = 0;
  const server = await serve((exchange) => {
    if (exchange.request.url === '/api/tags') return tags(exchange);
    if (exchange.request.url === '/api/ps') return reply(200, '{"models":[]}')(exchange);
    return asked++ === 0 ? lines(piece('{"ok'))(exchange) : lines(piece(answer), last)(exchange);
  });
  const client = createClient({
    baseUrl: server.url,
    target: 'ollama',
    clock: instantClock(),
    timeouts: noTimeouts,
  });
  const told: string[] = [];
  const hooks = { request: ({ operation }: { operation: string }) => void told.push(operation) };
  expect(await ask(client, { recovery: 'restart', hooks })).toBe(answer);
  expect(told).toContain('chat');
  expect(asked).toBe(2);
});
