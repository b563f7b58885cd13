import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServerKit } from '@ziggie/llm-server-kit';
import { ziggieNode } from '@ziggie/llm-server-kit/node';
import { type Script, say, slow, stall, think } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { expect, onTestFinished, test } from 'vitest';
import { type ChatEvent, type ClientOptions, createClient } from '../src/index.ts';
import { startCuttingProxy } from './cutting-proxy.ts';
import { failureOf } from './samples.ts';

const secret = 'a secret for tests, longer than 32 bytes';

function token(): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 60;
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: 'ada', exp })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** The stand-in, the kit in front of it, a proxy that cuts in front of that, and a client that asks through it. */
async function stage(options: Partial<ClientOptions> = {}) {
  const ollama = await startFakeOllama({ tokensPerSecond: 500 });
  const kit = createServerKit({
    upstreams: [{ url: ollama.url, slots: 8 }],
    auth: { jwt: { secret, issuer: false, audience: false } },
  });
  const server = createServer(ziggieNode(kit, { prefix: '/api/llm' }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy = await startCuttingProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/llm`);
  onTestFinished(async () => {
    await proxy.close();
    await kit.close({ drainMs: 0 });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await ollama.close();
  });
  const client = createClient({ baseUrl: proxy.url, credentials: token, ...options });
  return { fake: ollama.fake, kit, proxy, client };
}

const ask = { model: 'stand-in-thinking', messages: [{ role: 'user' as const, content: 'Hello' }] };
const answer = 'Wer reitet so spät durch Nacht und Wind? Es ist der Vater mit seinem Kind.';
const script: Script = [think('Ein Gedicht, von Goethe.'), slow(500), say(answer)];

const generations = (fake: Awaited<ReturnType<typeof stage>>['fake']) =>
  fake.report().requests.filter(({ path }) => path === '/api/chat').length;

async function readAll(events: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  const all: ChatEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const joined = (events: readonly ChatEvent[], type: 'text-delta' | 'thinking-delta') =>
  events.map((event) => (event.type === type ? event.text : '')).join('');

test.each([
  ['NDJSON', {}],
  ['SSE', { framing: 'sse' as const }],
])(
  'an answer over %s goes on by itself, whichever event the connection breaks behind',
  async (_, options) => {
    const { fake, kit, proxy, client } = await stage(options);
    fake.script(script);
    const whole = await readAll(client.chat(ask));
    expect(joined(whole, 'text-delta')).toBe(answer);
    let asked = generations(fake);
    // Behind the first word, since before it there is nothing to come back to; up to the last record before the end.
    const last = whole.length - 1;
    const places = Array.from({ length: 10 }, (_unused, at) => 2 + Math.round((at * (last - 2)) / 9));
    for (const [at, records] of places.entries()) {
      fake.script(script);
      proxy.cutAfter(records, at % 2 === 0 ? 0 : 17);
      const events = await readAll(client.chat(ask));
      expect(proxy.cuts).toBe(at + 1);
      expect(joined(events, 'text-delta')).toBe(answer);
      expect(joined(events, 'thinking-delta')).toBe(joined(whole, 'thinking-delta'));
      expect(events.filter(({ type }) => type === 'start')).toHaveLength(1);
      expect(events.filter(({ type }) => type === 'done')).toHaveLength(1);
      expect(events.at(-1)?.type).toBe('done');
      expect(generations(fake)).toBe(++asked);
    }
    await expect.poll(() => kit.gauges()).toMatchObject({ activeRequests: 0, openUpstream: 0 });
  },
);

test('an answer that breaks three times is one answer', async () => {
  const { fake, proxy, client } = await stage();
  fake.script(script);
  proxy.cutAfter(3);
  let tries = 0;
  let text = '';
  for await (const event of client.chat(ask)) {
    if (event.type === 'text-delta') text += event.text;
    if (event.type !== 'done' && proxy.cuts > tries && proxy.cuts < 3) {
      tries = proxy.cuts;
      proxy.cutAfter(3);
    }
  }
  expect(text).toBe(answer);
  expect(proxy.cuts).toBe(3);
  expect(generations(fake)).toBe(1);
});

test('who stops after the pick-up frees the model server at once', async () => {
  const { fake, kit, proxy, client } = await stage();
  fake.script([slow(500), say(answer), stall()]);
  proxy.cutAfter(4);
  const stream = client.chat(ask);
  let text = '';
  const failure = await failureOf(
    (async () => {
      for await (const event of stream) {
        if (event.type === 'text-delta') text += event.text;
        if (text.length >= answer.length) stream.abort();
      }
    })(),
  );
  expect(failure).toMatchObject({ code: 'aborted' });
  expect([text, proxy.cuts]).toEqual([answer, 1]);
  // The grace is 30 s: only being told ends it so soon.
  await fake.waitFor((report) => report.openGenerations === 0, 2000);
  expect(generations(fake)).toBe(1);
  await expect.poll(() => kit.gauges()).toMatchObject({ activeRequests: 0, openUpstream: 0 });
});

test('who leaves while the connection is away is not waited for', async () => {
  const { fake, kit, proxy, client } = await stage();
  fake.script([slow(500), say(answer), stall()]);
  proxy.cutAfter(4);
  const stream = client.chat(ask);
  const failure = failureOf(stream.final());
  await expect.poll(() => proxy.cuts).toBe(1);
  stream.abort();
  expect(await failure).toMatchObject({ code: 'aborted' });
  await fake.waitFor((report) => report.openGenerations === 0, 2000);
  await expect.poll(() => kit.gauges()).toMatchObject({ activeRequests: 0, openUpstream: 0 });
});
