import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServerKit, type ServerKitOptions } from '@ziggie/llm-server-kit';
import { ziggieNode } from '@ziggie/llm-server-kit/node';
import { createRedisStores } from '@ziggie/llm-server-kit/stores-redis';
import { type FakeOllama, say, stall } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { expect, onTestFinished, test, vi } from 'vitest';
import { hasRedis, startRedis } from '../../../../server-kit/test/stores/redis-server.ts';
import { createClient } from '../../src/index.ts';
import { failureOf, question } from '../samples.ts';

const asked = { ...question, model: 'stand-in' };
const secret = 'a secret for tests, longer than 32 bytes';

/** A kit on a real port, whose callers are all `ada`. */
async function serveKit(options: Partial<ServerKitOptions> = {}) {
  const ollama = await startFakeOllama({ tokensPerSecond: Infinity, slotsPerModel: 64 });
  const kit = createServerKit({
    upstreams: [{ url: ollama.url, slots: 64 }],
    auth: { jwt: { secret, issuer: false, audience: false } },
    ...options,
  });
  const server = createServer(ziggieNode(kit));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await kit.close({ drainMs: 0 });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await ollama.close();
  });
  const { port } = server.address() as AddressInfo;
  return { fake: ollama.fake, kit, url: `http://127.0.0.1:${port}` };
}

function token(): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: 'ada', exp: Math.floor(Date.now() / 1000) + 60 })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** Answers that have begun and go on until `end` is called. */
async function running(url: string, fake: FakeOllama, count: number) {
  fake.script([say('The '), stall(400), say('end.')], { times: count });
  const client = createClient({ baseUrl: url, credentials: token() });
  const begun: (() => void)[] = [];
  const all = Promise.all(
    Array.from({ length: count }, () => new Promise<void>((resolve) => begun.push(resolve))),
  );
  const texts = Array.from({ length: count }, async (_, at) => {
    let text = '';
    for await (const event of client.chat(asked)) {
      if (event.type !== 'text-delta') continue;
      text += event.text;
      begun[at]?.();
    }
    return text;
  });
  await Promise.race([all, Promise.all(texts)]);
  return { client, texts: Promise.all(texts) };
}

test.skipIf(!hasRedis)(
  'F088: Redis dies: answers that run end whole, what is new is one 503, and all is well when it is back',
  async () => {
    const redis = await startRedis();
    const { stores, close } = createRedisStores({ url: redis.url });
    onTestFinished(async () => {
      await close();
      await redis.stop();
    });
    const rules = [{ per: 'user', unit: 'totalTokens', window: 'day', limit: 1_000_000 }] as const;
    const { url, fake } = await serveKit({ stores, limits: { rules: [...rules] } });
    const { client, texts } = await running(url, fake, 5);
    await redis.stop();
    expect(await failureOf(client.chat(asked, { retry: { maxAttempts: 1 } }).text())).toMatchObject({
      code: 'store_unavailable',
      status: 503,
      retryable: true,
    });
    expect(await texts).toEqual(Array.from({ length: 5 }, () => 'The end.'));
    await redis.start();
    await vi.waitFor(() => client.chat(asked).text(), { timeout: 10_000, interval: 100 });
  },
);

test('F099: a kit that is told to end finishes 50 answers and refuses what is new as shutting_down', async () => {
  const { url, fake, kit } = await serveKit({ limits: { maxInFlight: 64, requestsPerMinute: Infinity } });
  const { client, texts } = await running(url, fake, 50);
  const closing = kit.close({ drainMs: 5_000 });
  expect(await failureOf(client.chat(asked, { retry: { maxAttempts: 1 } }).text())).toMatchObject({
    code: 'shutting_down',
    status: 503,
    retryable: true,
  });
  expect(await texts).toEqual(Array.from({ length: 50 }, () => 'The end.'));
  await closing;
});
