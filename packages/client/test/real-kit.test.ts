import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServerKit } from '@ziggie/llm-server-kit';
import { ziggieNode, ziggieSockets } from '@ziggie/llm-server-kit/node';
import { say, stall, think } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket as NodeSocket } from 'ws';
import { type ClientOptions, createClient } from '../src/index.ts';
import { webSocketTransport } from '../src/websocket.ts';
import { failureOf } from './samples.ts';

const secret = 'a secret for tests, longer than 32 bytes';
const prefix = '/api/llm';

function token(): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 60;
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: 'ada', exp })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** The kit on a real port in front of the stand-in on another. */
async function serveKit() {
  const ollama = await startFakeOllama({ tokensPerSecond: Number.POSITIVE_INFINITY });
  const kit = createServerKit({
    upstreams: [{ url: ollama.url, slots: 64 }],
    auth: { jwt: { secret, issuer: false, audience: false } },
  });
  const server = createServer(ziggieNode(kit, { prefix }));
  const detach = ziggieSockets(server, kit, { prefix });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    detach();
    await kit.close({ drainMs: 0 });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await ollama.close();
  });
  return {
    fake: ollama.fake,
    kit,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`,
  };
}

const open = (url: string, protocols: readonly string[], headers: Readonly<Record<string, string>>) =>
  new NodeSocket(url, [...protocols], { headers });

const wires: [string, () => Partial<ClientOptions>][] = [
  ['NDJSON', () => ({})],
  ['SSE', () => ({ framing: 'sse' })],
  ['a WebSocket with a header', () => ({ transport: webSocketTransport({ open }) })],
  ['a WebSocket with a ticket', () => ({ transport: webSocketTransport() })],
];

function clientFor(url: string, options: Partial<ClientOptions>) {
  onTestFinished(() => options.transport?.close());
  return createClient({ baseUrl: url, credentials: token, retry: { maxAttempts: 1 }, ...options });
}

const ask = { model: 'stand-in-thinking', messages: [{ role: 'user' as const, content: 'Hello' }] };

describe.each(wires)('the real kit over %s', (_, options) => {
  test('gives the same answer', async () => {
    const { fake, url } = await serveKit();
    fake.script([think('Hm, let me see.'), say('Grüße aus dem Modell')]);
    const result = await clientFor(url, options()).chat(ask).final();
    expect(result).toMatchObject({
      text: 'Grüße aus dem Modell',
      thinking: 'Hm, let me see.',
      finishReason: 'stop',
      usage: { source: 'upstream' },
    });
  });

  test('leaving frees everything behind', async () => {
    const { fake, kit, url } = await serveKit();
    fake.script([say('first'), stall()]);
    for await (const event of clientFor(url, options()).chat(ask)) if (event.type === 'text-delta') break;
    await expect.poll(() => kit.gauges()).toMatchObject({ activeRequests: 0, openUpstream: 0 });
  });

  test('a failure has its code', async () => {
    const { url } = await serveKit();
    const error = await failureOf(
      clientFor(url, options())
        .chat({ ...ask, model: 'nope' })
        .text(),
    );
    expect(error).toMatchObject({ code: 'model_not_found', status: 404, retryable: false });
  });

  test('a token that is none is refused', async () => {
    const { url } = await serveKit();
    const error = await failureOf(
      clientFor(url, { ...options(), credentials: 'nobody' })
        .chat(ask)
        .text(),
    );
    expect(error).toMatchObject({ code: 'unauthorized', status: 401 });
  });

  test('a long answer comes whole to a reader that is slower than the model', async () => {
    const { fake, url } = await serveKit();
    const words = Array.from({ length: 400 }, (_unused, at) => `word${at} `);
    fake.script([say(words.join(''))]);
    let text = '';
    let taken = 0;
    for await (const event of clientFor(url, options()).chat(ask)) {
      if (event.type === 'text-delta') text += event.text;
      if (++taken % 40 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(text).toBe(words.join(''));
  });
});

test('the real kit carries many answers on one socket, and one that is left touches no other', async () => {
  const { kit, url } = await serveKit();
  const client = clientFor(url, { transport: webSocketTransport({ open }) });
  const streams = Array.from({ length: 6 }, () => client.chat({ ...ask, model: 'stand-in' }));
  const texts = streams.map((stream) => stream.text());
  streams[2]?.abort();
  expect(await failureOf(texts[2] as Promise<string>)).toMatchObject({ code: 'aborted' });
  const kept = await Promise.all(texts.filter((_, at) => at !== 2));
  for (const text of kept) expect(text.length).toBeGreaterThan(0);
  await expect.poll(() => kit.gauges()).toMatchObject({ activeRequests: 0, openUpstream: 0 });
});
