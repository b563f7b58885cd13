import { globalAgent } from 'node:http';
import type { LookupFunction } from 'node:net';
import { fault, say } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createClient } from '../../src/index.ts';
import { instantClock, noTimeouts } from '../clock.ts';
import { failureOf, last, piece, question } from '../samples.ts';
import { lines, linesThenSilence, reply, serve, toLines } from '../scripted-server.ts';

const calm = { clock: instantClock(), timeouts: noTimeouts, random: () => 0.5 };

/** A client whose platform cannot connect, for a reason with this name. */
function unable(code: string, nested = false) {
  let tries = 0;
  const error = Object.assign(new Error(`the platform said ${code}`), { code });
  const fetch = (): Promise<Response> => {
    tries++;
    return Promise.reject(nested ? new TypeError('fetch failed', { cause: error }) : error);
  };
  const client = createClient({ baseUrl: 'https://host', target: 'ollama', fetch, ...calm });
  return { client, tries: () => tries };
}

test('F008: a name that does not resolve is connect_failed with its reason, tried three times', async () => {
  const { client, tries } = unable('ENOTFOUND', true);
  expect(await failureOf(client.chat(question).text())).toMatchObject({
    code: 'connect_failed',
    reason: 'ENOTFOUND',
    retryable: true,
  });
  expect(tries()).toBe(3);
});

test.each(['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS_CERT_ALTNAME_INVALID'])(
  'F011: %s is never tried again',
  async (reason) => {
    const { client, tries } = unable(reason, true);
    expect(await failureOf(client.chat(question).text())).toMatchObject({
      code: 'connect_failed',
      reason,
      retryable: false,
    });
    expect(tries()).toBe(1);
  },
);

test('F009: names are looked up anew for every try, so a flapping name costs no answer while one address is alive', async () => {
  const server = await serve(...Array.from({ length: 3 }, () => lines(piece('Hi'), last)));
  const { port } = new URL(server.url);
  // The resolver of the platform, as its own agent takes one: A, then nothing, then A again, then a dead one beside A.
  const answers: (readonly string[] | undefined)[] = [
    ['127.0.0.1'],
    undefined,
    ['127.0.0.1'],
    ['127.0.0.9', '127.0.0.1'],
  ];
  let lookups = 0;
  const lookup: LookupFunction = (_name, _options, callback) => {
    const found = answers[lookups++];
    if (found)
      callback(
        null,
        found.map((address) => ({ address, family: 4 })),
      );
    else callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' }), []);
  };
  const { options } = globalAgent as unknown as { options: { lookup?: LookupFunction } };
  options.lookup = lookup;
  onTestFinished(() => void delete options.lookup);
  const client = createClient({ baseUrl: `http://flapping.test:${port}`, target: 'ollama', ...calm });
  const tries: number[] = [];
  for (let round = 0; round < 3; round++) {
    const { text, attempts } = await client.chat(question).final();
    expect(text).toBe('Hi');
    tries.push(attempts.length);
    globalAgent.destroy();
  }
  expect(tries).toEqual([1, 2, 1]);
  expect(lookups).toBe(4);
});

test('F108: a key that changes while an answer runs changes that answer not, and the next one goes with the new key', async () => {
  const server = await serve(linesThenSilence(piece('The ')), lines(piece('Hi'), last));
  let key = 'old';
  const client = createClient({ baseUrl: server.url, target: 'ollama', credentials: () => key });
  const running = client.chat(question)[Symbol.asyncIterator]();
  await running.next();
  await running.next();
  key = 'new';
  expect(await client.chat(question).text()).toBe('Hi');
  const [first, second] = server.exchanges;
  first?.response.end(toLines(piece('end.'), last));
  expect(await running.next()).toMatchObject({ value: { text: 'end.' } });
  expect([first, second].map((one) => one?.request.headers.authorization)).toEqual([
    'Bearer old',
    'Bearer new',
  ]);
});

test.each(['EMFILE', 'ENETDOWN'])('F081, F102: %s is connect_failed, not a crash', async (reason) => {
  const { client } = unable(reason);
  expect(await failureOf(client.chat(question).text())).toMatchObject({ code: 'connect_failed', reason });
});

test('F072: leaving exactly at the end gives the end or an abort, never both and never neither', async () => {
  for (let round = 0; round < 40; round++) {
    const server = await serve(lines(piece('Hi'), last));
    const stream = createClient({ baseUrl: server.url, target: 'ollama' }).chat(question);
    const reading = stream.text().then(
      (text) => text,
      (error: { code: string }) => error.code,
    );
    void server.arrived(1).then(async () => {
      for (let turn = 0; turn < round; turn++) await Promise.resolve();
      if (round % 2) await new Promise((resolve) => setImmediate(resolve));
      stream.abort();
    });
    const end = await reading;
    expect(['Hi', 'aborted']).toContain(end);
    const again = await stream.final().catch((error: { code: string }) => error.code);
    expect(typeof again === 'string' ? again : again.text).toBe(end);
    await server.close();
  }
});

test('F078: a body over the limit is payload_too_large, sent once', async () => {
  const server = await serve(reply(413, '<html>too large</html>'));
  const client = createClient({ baseUrl: server.url, ...calm });
  const request = { model: 'm', prompt: 'x'.repeat(2 * 1024 * 1024) };
  expect(await failureOf(client.generate(request).text())).toMatchObject({
    code: 'payload_too_large',
    status: 413,
  });
  expect(server.exchanges).toHaveLength(1);
});

test('F086: a clock that is a year off, here or there, changes no wait', async () => {
  vi.useFakeTimers({ now: new Date('2030-01-01'), toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const clock = instantClock();
  const header = { Date: 'Wed, 21 Oct 2026 07:28:00 GMT', 'Retry-After': 'Wed, 21 Oct 2026 07:28:09 GMT' };
  const server = await serve(reply(503, '', header), lines(piece('Hi'), last));
  const client = createClient({ baseUrl: server.url, target: 'ollama', ...calm, clock });
  expect(await client.chat(question).text()).toBe('Hi');
  expect(clock.waits[0]).toBe(9_000);
});

test('F066, F100: after the process died and came back, the same client asks on', async () => {
  const server = await startFakeOllama({ tokensPerSecond: Infinity });
  onTestFinished(() => server.close());
  const client = createClient({ baseUrl: server.url, target: 'ollama' });
  const asked = { ...question, model: 'stand-in' };
  for (const id of ['F066', 'F100']) {
    server.fake.script(fault(id));
    expect(await failureOf(client.chat(asked).text())).toMatchObject({ code: 'truncated' });
    await server.up();
    server.fake.script(say('Here again.'));
    expect(await client.chat(asked).text()).toBe('Here again.');
  }
});
