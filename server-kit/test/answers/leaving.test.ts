import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { say, stall } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import { chunk, lastRecord, type RawExchange, streamEnd, streamHead, textRecord } from '../raw-ollama.ts';
import {
  closeLater,
  createTestClock,
  problemOf,
  question,
  readerOf,
  startBench,
  startWithFake,
  startWithRaw,
  until,
} from '../stream-harness.ts';

/** What the model server has done by the time the client leaves. */
const phases: [string, (exchange: RawExchange) => void][] = [
  ['while nothing was answered', () => {}],
  ['between the head and the first token', ({ socket }) => void socket.write(streamHead)],
  [
    'in the middle of the answer',
    ({ socket }) => void socket.write(Buffer.concat([Buffer.from(streamHead), chunk(textRecord('Hi'))])),
  ],
  [
    'within a record',
    ({ socket }) => void socket.write(Buffer.concat([Buffer.from(streamHead), chunk('{"message":{"con')])),
  ],
  [
    'while more arrives than is read',
    ({ socket }) => {
      socket.write(streamHead);
      for (let at = 0; at < 64; at++) socket.write(chunk(textRecord('x'.repeat(64 * 1024))));
    },
  ],
];

describe.each(phases)('a client that leaves %s', (_name, answer) => {
  test.each(['chat', 'chat, stream: false', 'generate-complete'])(
    '%s: closes the upstream at once',
    async (kind) => {
      const { ask, kit, log, raw } = await startWithRaw(answer);
      const left = new AbortController();
      const path = kind === 'generate-complete' ? '/generate-complete' : '/chat';
      const body =
        kind === 'generate-complete'
          ? { model: 'raw', prompt: 'Hi' }
          : { ...question('Hi', 'raw'), stream: kind === 'chat' };
      const asked = ask(path, body, { signal: left.signal });
      await until(() => raw.exchanges.length === 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const leftAt = performance.now();
      left.abort();
      const closedAt = (await raw.exchanges[0]?.closed) ?? Number.POSITIVE_INFINITY;
      expect(closedAt - leftAt).toBeLessThan(1000);
      // The kit may be looking what the server has in memory at this moment: an exchange of its own, soon over.
      await until(() => kit.gauges().openUpstream === 0);
      expect(kit.gauges()).toEqual({ activeRequests: 0, openUpstream: 0, timers: 0, queued: 0, sockets: 0 });
      const text = await (await asked).text();
      expect(text).not.toContain('"type":"done"');
      expect(text).not.toContain('"done":true');
      expect(log).toHaveLength(1);
      expect(log[0]).toMatchObject({ level: 'info', outcome: 'left', status: 499 });
    },
  );
});

test('a reader that cancels the stream counts as a client that left', async () => {
  const { ask, kit, log, ollama } = await startWithFake();
  ollama.fake.script([say('Hello'), stall()]);
  const reader = readerOf(await ask('/chat', question()));
  await reader.next();
  await reader.cancel();
  expect(kit.gauges()).toEqual({ activeRequests: 0, openUpstream: 0, timers: 0, queued: 0, sockets: 0 });
  await ollama.fake.waitFor((report) => report.openGenerations === 0 && report.disconnects.length === 1);
  expect(log).toHaveLength(1);
  expect(log[0]).toMatchObject({ outcome: 'left', status: 499 });
});

test('cancel and abort together are one leaving, logged once', async () => {
  const { ask, log, ollama } = await startWithFake();
  ollama.fake.script([say('Hello'), stall()]);
  const left = new AbortController();
  const reader = readerOf(await ask('/chat', question(), { signal: left.signal }));
  await reader.next();
  const cancelled = reader.cancel();
  left.abort();
  await cancelled;
  expect(log.map((line) => line['outcome'])).toEqual(['left']);
});

test('a client that leaves while the model loads frees the place in the line', async () => {
  const clock = createTestClock();
  const { ask, log, ollama } = await startWithFake({}, { loadMs: 60_000, clock });
  const left = new AbortController();
  const asked = ask('/chat', question(), { signal: left.signal });
  await ollama.fake.waitFor((report) => report.waiting === 1);
  left.abort();
  expect((await asked).status).toBe(499);
  await ollama.fake.waitFor((report) => report.waiting === 0 && report.openGenerations === 0);
  expect(log.map((line) => line['outcome'])).toEqual(['left']);
});

test('a request whose client had left already opens nothing and is not a failure of the server', async () => {
  const { ask, log, raw } = await startWithRaw(() => {});
  // Known models, so that nothing but the client decides.
  const response = await ask('/chat', question('Hi', 'raw'), { signal: AbortSignal.abort() });
  expect(response.status).toBe(499);
  expect(await problemOf(response)).toMatchObject({ code: 'aborted', status: 499 });
  expect(raw.exchanges).toHaveLength(0);
  expect(log.map((line) => line['outcome'])).toEqual(['left']);
});

test('a client that leaves while the model is looked up leaves no timer and starts no run', async () => {
  const accepted: Socket[] = [];
  // Accepts and never answers: not the list of models either.
  const silent = createServer((socket) => void accepted.push(socket.on('error', () => {})));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  closeLater(async () => {
    for (const socket of accepted) socket.destroy();
    silent.close();
  });
  const { port } = silent.address() as { port: number };
  const clock = createTestClock();
  const bench = startBench(`http://127.0.0.1:${port}`, { clock });
  const left = new AbortController();
  const asked = bench.ask('/chat', question(), { signal: left.signal });
  await until(() => accepted.length === 1);
  left.abort();
  expect((await asked).status).toBe(499);
  expect(bench.kit.gauges()).toMatchObject({ activeRequests: 0, timers: 0, queued: 0, sockets: 0 });
  expect(bench.log.map((line) => line['outcome'])).toEqual(['left']);
  // The list that others may share is given up by its own clock.
  await clock.advance(5000);
  await until(() => bench.kit.gauges().openUpstream === 0);
});

test('a client that comes back after leaving is served at once', async () => {
  let turn = 0;
  const { ask } = await startWithRaw(
    ({ socket }) => {
      if (turn++ > 0)
        socket.write(Buffer.concat([Buffer.from(streamHead), chunk(lastRecord), Buffer.from(streamEnd)]));
    },
    { limits: { maxInFlight: 1 } },
  );
  const left = new AbortController();
  const first = ask('/chat', question('Hi', 'raw'), { signal: left.signal });
  await until(() => turn === 1);
  left.abort();
  await first;
  const second = await ask('/chat', question('Hi', 'raw'));
  expect(await second.text()).toContain('"type":"done"');
});
