import { say, stall } from '@ziggie/llm-testing';
import { expect, test } from 'vitest';
import { chunk, lastRecord, streamEnd, streamHead, textRecord } from '../raw-ollama.ts';
import {
  createTestClock,
  parseEvents,
  problemOf,
  question,
  readerOf,
  startWithFake,
  startWithRaw,
  token,
  until,
} from '../stream-harness.ts';

test('close() refuses new work, lets a running answer finish and is idempotent', async () => {
  const { ask, get, kit, log, raw } = await startWithRaw(
    ({ socket }) => void socket.write(Buffer.concat([Buffer.from(streamHead), chunk(textRecord('Hi'))])),
  );
  const reader = readerOf(await ask('/chat', question('Hi', 'raw')));
  await reader.next();
  let closed = false;
  const closing = kit.close();
  void closing.then(() => {
    closed = true;
  });
  expect(kit.close()).toBe(closing);

  const refused = await ask('/chat', question('Hi', 'raw'));
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('5');
  expect(await problemOf(refused)).toMatchObject({
    code: 'shutting_down',
    retryable: true,
    retryAfterMs: 5000,
  });
  expect((await get('/models')).status).toBe(503);
  expect((await get('/health/live')).status).toBe(200);
  expect((await get('/health/ready')).status).toBe(503);
  expect(closed).toBe(false);

  raw.exchanges[0]?.socket.write(Buffer.concat([chunk(lastRecord), Buffer.from(streamEnd)]));
  expect(parseEvents(await reader.rest()).at(-1)).toMatchObject({ type: 'done' });
  await closing;
  expect(log.filter((line) => line['outcome'] === 'ok' && line['route'] === '/chat')).toHaveLength(1);
  expect((await get('/health/live')).status).toBe(200);
});

test('after drainMs a running answer ends with a typed error, streamed or not', async () => {
  const clock = createTestClock();
  const { ask, kit, ollama } = await startWithFake({ clock }, { slotsPerModel: 2 });
  ollama.fake.script([say('Hello'), stall()], { times: 2 });
  const reader = readerOf(await ask('/chat', question()));
  await reader.next();
  const complete = ask('/chat', { ...question(), stream: false });
  await ollama.fake.waitFor((report) => report.openGenerations === 2);
  const closing = kit.close({ drainMs: 5000 });
  await clock.advance(4999);
  expect(kit.gauges().activeRequests).toBe(2);
  await clock.advance(1);
  expect(parseEvents(await reader.rest()).at(-1)).toMatchObject({
    type: 'error',
    code: 'shutting_down',
    status: 503,
    retryAfterMs: 5000,
  });
  expect((await complete).status).toBe(503);
  await closing;
  await ollama.fake.waitFor((report) => report.openGenerations === 0);
});

test('a request whose body is still arriving when the drain is over is refused, not sent to a closed pool', async () => {
  const { kit, raw } = await startWithRaw(() => {});
  const body = new ReadableStream<Uint8Array>();
  const init: RequestInit & { duplex: 'half' } = {
    method: 'POST',
    headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' },
    body,
    duplex: 'half',
  };
  const connection = { remoteAddress: '192.0.2.7', encrypted: false, target: '/chat', rawHeaders: [] };
  const asked = kit.handle(new Request('http://ziggie.invalid/chat', init), connection);
  await until(() => body.locked);
  await kit.close({ drainMs: 0 });
  const response = await asked;
  expect(response?.status).toBe(503);
  expect(await response?.json()).toMatchObject({ code: 'shutting_down' });
  expect(raw.exchanges).toHaveLength(0);
});

test('a request whose sign-in was being checked when a drain began opens nothing', async () => {
  let letIn = () => {};
  let asked = 0;
  const { ask, kit, ollama } = await startWithFake({
    auth: undefined,
    authenticate: async () => {
      asked++;
      await new Promise<void>((resolve) => {
        letIn = resolve;
      });
      return { id: 'ada', roles: ['user'] };
    },
    cors: { origins: ['https://app.example'] },
  });
  const asking = ask('/chat', question(), { headers: { origin: 'https://app.example' } });
  await expect.poll(() => asked).toBe(1);
  const closing = kit.close();
  letIn();
  const refused = await asking;
  expect(refused.status).toBe(503);
  expect((await problemOf(refused)).code).toBe('shutting_down');
  await closing;
  expect(ollama.fake.report().requests.filter(({ path }) => path === '/api/chat')).toEqual([]);
});
