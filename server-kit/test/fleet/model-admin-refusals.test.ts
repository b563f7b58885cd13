import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { DrivenClock, problemIn, startBench } from '../harness.ts';
import { closeLater } from './fleet.ts';

/** A model server with one model that is not in memory; what changes it is answered by the test, and never ended by itself. */
async function startEndless(answer: (response: ServerResponse) => void, { isLoaded = false } = {}) {
  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    request.resume();
    if (request.method === 'GET') {
      const isThere = isLoaded || request.url === '/api/tags';
      const models = isThere ? [{ name: 'raw:latest', model: 'raw:latest' }] : [];
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ models }));
      return;
    }
    open.add(response);
    response.on('close', () => open.delete(response)).on('error', () => {});
    answer(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  closeLater({ close });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, open };
}

const long = 'x'.repeat(200_000);
const head = (response: ServerResponse, status = 200) =>
  response.writeHead(status, { 'content-type': 'application/x-ndjson' });
const verbs = {
  delete: ['DELETE', '/admin/models'],
  pull: ['POST', '/admin/models/pull'],
  load: ['POST', '/admin/models/load'],
} as const;

test.each([
  ['delete', 'a long refusal', (response: ServerResponse) => head(response, 500).write(long)],
  ['delete', 'a record too long', (response: ServerResponse) => head(response).write(long)],
  ['delete', 'no record', (response: ServerResponse) => head(response).write('[1\n')],
  ['pull', 'an error', (response: ServerResponse) => head(response).write('{"error":"disk full"}\n')],
  ['pull', 'no record', (response: ServerResponse) => head(response).write('nonsense\n')],
  ['load', 'a long answer', (response: ServerResponse) => head(response).write(long)],
  ['load', 'a long refusal', (response: ServerResponse) => head(response, 500).write(long)],
] as const)(
  'a %s that fails with %s and goes on is let go of at the model server',
  async (verb, _how, answer) => {
    const server = await startEndless(answer);
    const bench = await startBench({ upstreams: [{ url: server.url, name: 'raw' }] });
    const [method, path] = verbs[verb];
    const token = await bench.token({ sub: 'root', roles: ['admin'] });
    const response = await bench.answer(path, { method, token, body: { model: 'raw' } });
    const failed = await response.text();
    expect(failed).toMatch(/"code":"[a-z_]+"/);
    await expect.poll(() => [server.open.size, bench.kit.gauges().openUpstream]).toEqual([0, 0]);
  },
);

describe('a model server that takes the wish and says nothing is let go of in the time of the options', () => {
  const timeouts = { loadMs: 40_000, firstTokenMs: 20_000 };

  async function startSilent(answer: (response: ServerResponse) => void = () => {}, isLoaded = true) {
    const server = await startEndless(answer, { isLoaded });
    const clock = new DrivenClock();
    const bench = await startBench({ upstreams: [{ url: server.url, name: 'raw' }], timeouts, clock });
    const token = await bench.token({ sub: 'root', roles: ['admin'] });
    const ask = async (verb: string, body: object) =>
      bench.answer(`/admin/models${verb}`, {
        method: verb === '' ? 'DELETE' : 'POST',
        token,
        body: { model: 'raw', ...body },
      });
    const asked = () => expect.poll(() => server.open.size).toBe(1);
    return { server, clock, bench, ask, asked };
  }

  test.each([
    ['a load', '/load', {}, false, 'load_timeout', 40_000],
    ['how long a model stays', '/load', { keep_alive: '1h' }, true, 'load_timeout', 40_000],
    ['an unload', '/unload', {}, true, 'deadline_exceeded', 20_000],
    ['a delete', '', {}, true, 'deadline_exceeded', 20_000],
  ] as const)('%s', async (_what, verb, body, isLoaded, code, limitMs) => {
    const { server, clock, bench, ask, asked } = await startSilent(() => {}, isLoaded);
    const answering = ask(verb, body);
    await asked();
    await clock.drive(limitMs - 1);
    expect(server.open.size).toBe(1);
    await clock.drive(1);
    const answer = await answering;
    expect(answer.status).toBe(504);
    expect(await problemIn(answer)).toMatchObject({ code });
    await expect.poll(() => [server.open.size, bench.kit.gauges().openUpstream]).toEqual([0, 0]);
    const line = bench.logs.find(({ fields }) => fields['code'] === code && fields['action'] !== undefined);
    expect(line?.fields).toMatchObject({ model: 'raw' });
  });

  test('a delete that trickles without an end', async () => {
    let trickle = () => {};
    const { server, clock, ask, asked } = await startSilent((response) => {
      head(response);
      trickle = () => response.write('{"status":"still at it"}\n');
      trickle();
    });
    const answering = ask('', {});
    await asked();
    await clock.drive(19_000);
    trickle();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await clock.drive(1_000);
    expect(await problemIn(await answering)).toMatchObject({ code: 'deadline_exceeded' });
    await expect.poll(() => server.open.size).toBe(0);
  });

  test('a pull goes on however long it takes, and ends when nothing comes of it', async () => {
    let say = (_record: object) => {};
    const { server, clock, ask, asked } = await startSilent((response) => {
      head(response);
      say = (record) => response.write(`${JSON.stringify(record)}\n`);
      say({ status: 'pulling manifest' });
    });
    const answer = await ask('/pull', {});
    await asked();
    for (let step = 1; step <= 5; step++) {
      await clock.drive(39_000);
      say({ status: 'pulling', digest: `sha256:${'a'.repeat(64)}`, total: 100, completed: step });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(server.open.size).toBe(1);
    await clock.drive(40_000);
    expect(await answer.text()).toMatch(/"code":"idle_timeout"[^\n]*\n$/);
    await expect.poll(() => server.open.size).toBe(0);
  });
});

test('layers without end of a pull are not kept without end', async () => {
  let served: ServerResponse | undefined;
  const server = await startEndless((response) => {
    served = head(response);
    const digest = (at: number) => `sha256:${at.toString(16).padStart(64, '0')}`;
    for (let at = 0; at < 3000; at++) {
      const record = { status: 'pulling 000000000000', digest: digest(at), total: 10, completed: 1 };
      response.write(`${JSON.stringify(record)}\n`);
    }
  });
  const bench = await startBench({ upstreams: [{ url: server.url, name: 'raw' }] });
  const token = await bench.token({ sub: 'root', roles: ['admin'] });
  const body = { model: 'raw', stream: false };
  const started = await bench.answer('/admin/models/pull', { token, body });
  const { id } = (await started.json()) as { id: string };
  const job = async () => (await (await bench.answer(`/admin/jobs/${id}`, { token })).json()) as object;
  await expect.poll(async () => JSON.stringify(await job())).toContain('"last"');
  served?.end('{"status":"success"}\n');
  await expect.poll(job).toMatchObject({ state: 'done' });
  const events = await (await bench.answer(`/admin/jobs/${id}/events`, { token })).text();
  expect(events.split('\n').length).toBeLessThan(1100);
});
