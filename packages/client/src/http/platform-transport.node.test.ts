import { expect, test } from 'vitest';
import { hangUp, linesThenHangUp, linesThenSilence, reply, serve } from '../../test/scripted-server.ts';
import { platformTransport } from './platform-transport.node.ts';
import type { ByteSource } from './transport.ts';

function get(url: string, signal: AbortSignal = new AbortController().signal, onConnected = (): void => {}) {
  return platformTransport.send({ method: 'GET', url, headers: {}, signal, onConnected });
}

async function readAll(body: ByteSource): Promise<string> {
  let text = '';
  for (;;) {
    const { value } = await body.read();
    if (value === undefined) return text;
    text += Buffer.from(value as Uint8Array).toString();
  }
}

test('status, headers and bytes arrive as they are', async () => {
  const server = await serve(reply(418, 'short and stout', { 'X-Pot': 'tea', 'Set-Cookie': 'a=1' }));
  const response = await get(`${server.url}/pot`);
  expect(response.status).toBe(418);
  expect(response.header('x-pot')).toBe('tea');
  expect(response.header('Set-Cookie')).toBe('a=1');
  expect(response.header('X-None')).toBeUndefined();
  expect(await readAll(response.body)).toBe('short and stout');
});

test('onConnected is called for a new connection and for one that is used again', async () => {
  const server = await serve(reply(200, 'ok'));
  let connected = 0;
  for (const expected of [1, 2, 3]) {
    const response = await get(server.url, undefined, () => connected++);
    await readAll(response.body);
    expect(connected).toBe(expected);
  }
  const ports = server.exchanges.map(({ request }) => request.socket.remotePort);
  expect(new Set(ports).size).toBe(1);
});

test('a redirect is handed out, not followed', async () => {
  const server = await serve(reply(302, '', { Location: '/elsewhere' }));
  expect((await get(server.url)).status).toBe(302);
  expect(server.exchanges).toHaveLength(1);
});

test('a server that hangs up rejects, before and inside the body', async () => {
  const server = await serve(hangUp, linesThenHangUp({ a: 1 }));
  await expect(get(server.url)).rejects.toMatchObject({ code: 'ECONNRESET' });
  await expect(readAll((await get(server.url)).body)).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test('abort before the answer rejects and closes', async () => {
  const server = await serve(() => {});
  const controller = new AbortController();
  const sending = get(server.url, controller.signal);
  const exchange = await server.arrived(1);
  controller.abort();
  await expect(sending).rejects.toThrow();
  await exchange.closed;
  expect(exchange.left).toBe(true);
});

test('close() inside the body closes the connection', async () => {
  const server = await serve(linesThenSilence({ a: 1 }));
  const { body } = await get(server.url);
  await body.read();
  body.close();
  const exchange = await server.arrived(1);
  await exchange.closed;
  expect(exchange.left).toBe(true);
});

test('abort at the moment the answer ends is no uncaught exception', async () => {
  // Vitest fails the run on an uncaught exception. Once the socket is idle in the agent nobody listens for its errors.
  const server = await serve(reply(200, 'ok'));
  for (let turns = 0; turns < 6; turns++) {
    const controller = new AbortController();
    const { body } = await get(server.url, controller.signal);
    await body.read();
    for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
    controller.abort();
    await body.read().catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(server.exchanges).toHaveLength(6);
});

test('the body of a DELETE has a length, or it would read like the next request', async () => {
  const server = await serve(reply(200, 'ok'));
  const request = { headers: {}, signal: new AbortController().signal, onConnected: () => {} };
  for (const body of ['{"model":"é"}', new TextEncoder().encode('{"model":"é"}')]) {
    const response = await platformTransport.send({ ...request, method: 'DELETE', url: server.url, body });
    expect(response.status).toBe(200);
    await readAll(response.body);
  }
  expect(server.exchanges.map(({ body }) => body)).toEqual(['{"model":"é"}', '{"model":"é"}']);
});
