import { say, stall } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import type { ServerKitOptions } from '../src/index.ts';
import {
  closeLater,
  eventsOf,
  expectWellFormed,
  question,
  readerOf,
  startWithFake,
  textOf,
  until,
} from './stream-harness.ts';
import { chatFrame, startSockets } from './ws/socket-bench.ts';

const secret = 'a secret of the tests, of more than 32 bytes';
const other = 'another secret of the tests, just as long';
const signed = (key: string) =>
  new SignJWT({ roles: ['user'] })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('ada')
    .setExpirationTime('2h')
    .sign(new TextEncoder().encode(key));
const optionsFor = (url: string, more: Partial<ServerKitOptions> = {}, key = secret): ServerKitOptions => ({
  upstreams: [{ url, slots: 64 }],
  auth: { jwt: { secret: key, issuer: false, audience: false } },
  ...more,
});

describe('other options while the kit runs', () => {
  test('end no stream: it goes on from the model server it began with, new requests go to the new one', async () => {
    const bench = await startWithFake();
    const next = await startFakeOllama({ tokensPerSecond: Number.POSITIVE_INFINITY });
    closeLater(() => next.close());
    bench.ollama.fake.script([say('begun '), stall(150), say('and ended')]);
    const running = await bench.ask('/chat', question());
    const reader = readerOf(running);
    const begun = await reader.next();
    bench.kit.reload(optionsFor(next.url));
    next.fake.script([say('from the next')]);
    expect(textOf(await eventsOf(await bench.ask('/chat', question())))).toBe('from the next');
    const events = (begun + (await reader.rest()))
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    expectWellFormed(events);
    expect(textOf(events)).toBe('begun and ended');
  });

  test('count at once: a secret that was taken back opens nothing more', async () => {
    const bench = await startWithFake();
    expect((await bench.get('/models')).status).toBe(200);
    bench.kit.reload(optionsFor(bench.ollama.url, {}, other));
    expect((await bench.get('/models')).status).toBe(401);
    const headers = { authorization: `Bearer ${await signed(other)}` };
    expect((await bench.ask('/chat', { ...question(), stream: false }, { headers })).status).toBe(200);
  });

  test('leave what was counted as it is', async () => {
    const limits = { requestsPerMinute: 3 };
    const bench = await startWithFake({ limits });
    for (let at = 0; at < 3; at++) expect((await bench.get('/models')).status).toBe(200);
    bench.kit.reload(optionsFor(bench.ollama.url, { limits }));
    expect((await bench.get('/models')).status).toBe(429);
  });

  test('that are not valid change nothing', async () => {
    const bench = await startWithFake();
    const wrong = { ...optionsFor(bench.ollama.url), limits: { maxInFlight: 0 } };
    expect(() => bench.kit.reload(wrong)).toThrow(/limits\.maxInFlight/);
    expect((await bench.get('/models')).status).toBe(200);
  });

  test('keep sockets open whose credential is still good, and close the others', async () => {
    const bench = await startSockets();
    const client = await bench.open();
    bench.kit.reload(optionsFor(bench.ollama.url, { content: { blockedPhrases: ['blue falcon'] } }));
    client.send(chatFrame('one'));
    expect((await client.ended('one')).type).toBe('done');
    client.send(chatFrame('two', 1000, 'about Blue Falcon'));
    expect(await client.ended('two')).toMatchObject({ code: 'content_blocked' });
    bench.kit.reload(optionsFor(bench.ollama.url, {}, other));
    await bench.clock.advance(6000);
    expect((await client.untilClosed()).code).toBe(4401);
  });

  test('a hundred times over leave nothing open', async () => {
    const bench = await startWithFake();
    for (let at = 0; at < 100; at++)
      bench.kit.reload(optionsFor(`${bench.ollama.url}/${at % 2 ? 'a' : 'b'}`));
    bench.kit.reload(optionsFor(bench.ollama.url));
    expect((await bench.get('/models')).status).toBe(200);
    await until(() => bench.kit.gauges().openUpstream === 0);
  });
});
