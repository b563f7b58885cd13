import { createServer, type IncomingMessage } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { ziggieNode } from '../../src/node.ts';
import { hello, signed, startBench } from '../harness.ts';
import { listen, type RunningHost } from './hosts.ts';
import { RawClient } from './raw-client.ts';

const body = JSON.stringify({ ...hello, stream: false });
let running: RunningHost | undefined;

afterEach(async () => {
  await running?.close();
  running = undefined;
});

/** A host that tells which requests it has seen and which of them Node has seen the end of. */
async function start() {
  const bench = await startBench();
  const seen: IncomingMessage[] = [];
  const ended: IncomingMessage[] = [];
  const waited: IncomingMessage[] = [];
  const listener = ziggieNode(bench.kit, { prefix: '/llm' });
  running = await listen(
    createServer((req, res) => {
      seen.push(req);
      req.on('end', () => ended.push(req));
      req.on('newListener', (name) => {
        if (name === 'data') waited.push(req);
      });
      listener(req, res);
    }),
  );
  const authorization = `Bearer ${await signed(bench.clock)}`;
  const head = (length: number, more = '') =>
    `POST /llm/chat HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n${more}\r\n`;
  const client = await RawClient.open(running.port);
  const answers = (count: number) =>
    client.until(({ received }) => (received.match(/"done":true/g) ?? []).length === count);
  const arrived = (count: number) => expect.poll(() => seen.length).toBe(count);
  return { client, seen, ended, waited, head, answers, arrived };
}

test('a body that comes in one piece with its head is taken at once, and its connection serves on', async () => {
  const { client, seen, ended, waited, head, answers } = await start();
  for (let count = 1; count <= 5; count++) {
    client.send(`${head(body.length)}${body}`);
    await answers(count);
  }
  // Nobody waits for pieces.
  expect(waited).toEqual([]);
  expect(seen.every((req) => req.readableEnded)).toBe(true);
  expect(ended).toHaveLength(5);
  client.leave();
});

test('several requests in one packet are answered one after another', async () => {
  const { client, ended, head, answers } = await start();
  client.send(`${head(body.length)}${body}`.repeat(6));
  await answers(6);
  expect(ended).toHaveLength(6);
  client.leave();
});

test.each([1, 20, body.length - 1])('a body that is cut after %i bytes is waited for', async (at) => {
  const { client, ended, waited, head, answers, arrived } = await start();
  client.send(`${head(body.length)}${body.slice(0, at)}`);
  await arrived(1);
  await new Promise(setImmediate);
  expect(ended).toHaveLength(0);
  client.send(body.slice(at));
  await answers(1);
  client.send(`${head(body.length)}${body}`);
  await answers(2);
  expect(ended).toHaveLength(2);
  expect(waited).toHaveLength(1);
  client.leave();
});

test('a length that is longer than what came is no whole body', async () => {
  const { client, head, arrived } = await start();
  client.send(`${head(body.length + 1)}${body}`);
  await arrived(1);
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  expect(client.received).toBe('');
  client.send('x');
  await client.untilText('HTTP/1.1 400');
  client.leave();
});
