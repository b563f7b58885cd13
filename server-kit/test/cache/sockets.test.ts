import { say } from '@ziggie/llm-testing';
import { expect, test } from 'vitest';
import { eventsOf, expectWellFormed, question, textOf, until } from '../stream-harness.ts';
import { chatFrame, startSockets } from '../ws/socket-bench.ts';
import type { SocketClient } from '../ws/socket-client.ts';

const seeded = { options: { seed: 1 } };
const cacheOf = (client: SocketClient, id: string) => {
  const [start] = client.of(id);
  return start?.type === 'start' ? start.cache : undefined;
};

test('what was kept over HTTP is given over a socket, as its reader has credit', async () => {
  const bench = await startSockets({ cache: {} });
  bench.ollama.fake.script([say('word '.repeat(1000))]);
  const first = textOf(await eventsOf(await bench.ask('/chat', { ...question(), ...seeded })));
  const client = await bench.open();
  client.send(chatFrame('one', 2, 'Hello', seeded));
  await until(() => client.of('one').length === 2);
  await new Promise((resolve) => setTimeout(resolve, 20));
  // A long answer is several events, and no more than was asked for.
  expect(client.of('one')).toHaveLength(2);
  client.send({ type: 'credit', id: 'one', credit: 1000 });
  await client.ended('one');
  expectWellFormed(client.of('one'));
  expect([cacheOf(client, 'one'), client.text('one')]).toEqual(['hit', first]);
});

test('requests of one socket share a generation, each with its own credit; one that is cancelled ends alone', async () => {
  const bench = await startSockets({ cache: { keep: false } });
  bench.ollama.fake.script([say('a shared answer of some words')]);
  const client = await bench.open();
  client.send(chatFrame('fast', 1000, 'Hello', seeded));
  client.send(chatFrame('slow', 1, 'Hello', seeded));
  client.send(chatFrame('gone', 1, 'Hello', seeded));
  await until(() => ['slow', 'gone'].every((id) => client.of(id).length === 1));
  client.send({ type: 'cancel', id: 'gone' });
  await client.ended('fast');
  expect((await client.ended('gone')).type).toBe('error');
  expect(client.of('slow')).toHaveLength(1);
  client.send({ type: 'credit', id: 'slow', credit: 1000 });
  await client.ended('slow');
  for (const id of ['fast', 'slow']) {
    expectWellFormed(client.of(id));
    expect(client.text(id)).toBe('a shared answer of some words');
  }
  expect(['fast', 'slow', 'gone'].map((id) => cacheOf(client, id)).sort()).toEqual([
    'coalesced',
    'coalesced',
    'miss',
  ]);
});
