import { expect, test } from 'vitest';
import type { ServerKitOptions } from '../../src/index.ts';
import type { FleetModel } from '../../src/models/model-admin.ts';
import type { ShownPull } from '../../src/models/pull-job.ts';
import { type Ask, problemIn } from '../harness.ts';
import { type Fleet, startFleet } from './fleet.ts';

type Line = Record<string, unknown>;

const modelsOf = (fleet: Fleet, at: number) =>
  fleet.gpus[at]?.fake.report().requests.map(({ method, path }) => `${method} ${path}`) ?? [];

function administer(fleet: Fleet) {
  const ask = async (target: string, more: Ask = {}) =>
    fleet.answer(target, { token: await fleet.token({ sub: 'root', roles: ['admin'] }), ...more });
  return {
    ask,
    pull: (model: string, more: object = {}) => ask('/admin/models/pull', { body: { model, ...more } }),
    async models() {
      const list = (await (await ask('/admin/models')).json()) as {
        models: FleetModel[];
        unreachable: string[];
      };
      return { ...list, of: (name: string) => list.models.find((one) => one.name === name) };
    },
    async jobs() {
      return ((await (await ask('/admin/jobs')).json()) as { jobs: ShownPull[] }).jobs;
    },
  };
}

async function linesIn(response: Response): Promise<Line[]> {
  const lines = (await response.text()).split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => JSON.parse(line) as Line);
}

/** Lets real sockets bring what is on its way. */
const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

/** Slow enough that a pull is seen on its way. */
const slow = { pullBytesPerSecond: 50_000_000 };
const fast = { pullBytesPerSecond: Number.POSITIVE_INFINITY };

test('a pull brings the model to every server, tells of each layer with its host, and ends with success', async () => {
  const fleet = await startFleet(2, { ollama: fast });
  const { pull, models, jobs } = administer(fleet);
  const response = await pull('llama3.2:1b');
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/x-ndjson');
  const lines = await linesIn(response);
  expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, at) => at));
  expect(lines.at(-1)).toMatchObject({ status: 'success' });
  expect(lines.filter(({ status }) => status === 'success')).toHaveLength(1);
  for (const host of ['gpu-0', 'gpu-1']) {
    const own = lines.filter((line) => line['host'] === host);
    expect(own.at(-1)).toMatchObject({ status: 'ready' });
    const layers = own.filter(({ digest }) => digest !== undefined);
    expect(layers.length).toBeGreaterThan(1);
    for (const { digest, completed, total } of layers) {
      expect(digest).toMatch(/^sha256:[a-f0-9]{64}$/);
      expect(completed).toBeLessThanOrEqual(total as number);
    }
  }
  expect((await models()).of('llama3.2:1b')?.hosts.map(({ host }) => host)).toEqual(['gpu-0', 'gpu-1']);
  expect(await jobs()).toMatchObject([{ model: 'llama3.2:1b', state: 'done', id: lines[0]?.['job'] }]);
});

test('a pull in server-sent events, to one server of two', async () => {
  const fleet = await startFleet(2, { ollama: fast });
  const { ask, models } = administer(fleet);
  const response = await ask('/admin/models/pull', {
    body: { model: 'llama3.2:1b', hosts: ['gpu-1'] },
    headers: { accept: 'text/event-stream' },
  });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const text = await response.text();
  expect(text).toContain('id: 0\ndata: {"status":"pulling manifest"');
  expect(text).toMatch(/data: \{"status":"success"[^\n]*\n\n$/);
  expect((await models()).of('llama3.2:1b')?.hosts.map(({ host }) => host)).toEqual(['gpu-1']);
  expect(modelsOf(fleet, 0)).not.toContain('POST /api/pull');
});

test('speed and time left are measured by the kit’s clock', async () => {
  const fleet = await startFleet(1, { ollama: slow });
  const { ask, pull } = administer(fleet);
  const leaving = new AbortController();
  const response = await ask('/admin/models/pull', {
    body: { model: 'llama3.2:1b' },
    signal: leaving.signal,
  });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let text = '';
  while (!/"bytesPerSec":[0-9]/.test(text)) {
    const { value, done } = await reader.read();
    expect(done).toBe(false);
    fleet.clock.advance(300);
    text += new TextDecoder().decode(value);
  }
  const measured = text.split('\n').find((line) => /"bytesPerSec":[0-9]/.test(line)) ?? '';
  const { bytesPerSec, etaMs, completed, total } = JSON.parse(measured) as Record<string, number>;
  expect(etaMs).toBeGreaterThan(0);
  expect((bytesPerSec as number) * ((etaMs as number) / 1000)).toBeGreaterThanOrEqual(
    ((total as number) - (completed as number)) * 0.99,
  );
  await reader.cancel();
  // The only reader has left: the server stops.
  await expect.poll(() => fleet.gpus[0]?.fake.report().disconnects.length).toBe(1);
  expect((await linesIn(await pull('llama3.2:1b', { stream: false })))[0]).toMatchObject({
    state: 'running',
  });
  const [job] = await administer(fleet).jobs();
  expect((await ask(`/admin/jobs/${job?.id}`, { method: 'DELETE' })).status).toBe(204);
});

test('a kept pull goes on without a reader, is followed, and is cancelled by its id', async () => {
  const fleet = await startFleet(1, { ollama: slow });
  const { ask, pull, jobs } = administer(fleet);
  const response = await pull('llama3.2:1b', { stream: false });
  expect(response.status).toBe(202);
  const { id } = (await response.json()) as ShownPull;
  await expect.poll(async () => (await jobs())[0]?.hosts[0]?.last?.digest).toBeDefined();
  // The same pull again is that pull.
  const following = await pull('LLAMA3.2:1b');
  const alsoFollowing = ask(`/admin/jobs/${id}/events`);
  expect(modelsOf(fleet, 0).filter((one) => one === 'POST /api/pull')).toHaveLength(1);
  await following.body?.cancel();
  await soon();
  expect((await (await ask(`/admin/jobs/${id}`)).json()) as ShownPull).toMatchObject({ state: 'running' });
  const events = await alsoFollowing;
  expect((await ask(`/admin/jobs/${id}`, { method: 'DELETE' })).status).toBe(204);
  expect((await linesIn(events)).at(-1)).toMatchObject({
    code: 'aborted',
    error: expect.stringContaining('cancelled'),
  });
  expect(await jobs()).toMatchObject([{ id, state: 'cancelled' }]);
  expect((await problemIn(await ask('/admin/jobs/pull_none'))).code).toBe('not_found');
});

test('a reader who leaves ends the pull only when nobody else follows it', async () => {
  const fleet = await startFleet(1, { ollama: slow });
  const { pull, jobs } = administer(fleet);
  const first = await pull('llama3.2:1b');
  const second = await pull('llama3.2:1b');
  await first.body?.cancel();
  await soon();
  expect(await jobs()).toMatchObject([{ state: 'running' }]);
  await second.body?.cancel();
  await expect.poll(async () => (await jobs())[0]?.state).toBe('cancelled');
});

test('what fails on one server fails the pull, and what is done on the other stays', async () => {
  const fleet = await startFleet(2, { ollama: fast });
  const { pull, models, jobs } = administer(fleet);
  await fleet.gpus[1]?.down();
  // Old enough that the lists are asked for again.
  fleet.clock.advance(10_000);
  const lines = await linesIn(await pull('llama3.2:1b'));
  expect(lines.at(-1)).toMatchObject({ code: 'upstream_unreachable', status: 502 });
  const { of, unreachable } = await models();
  expect(of('llama3.2:1b')?.hosts.map(({ host }) => host)).toEqual(['gpu-0']);
  expect(unreachable).toEqual(['gpu-1']);
  expect((await jobs())[0]?.hosts).toMatchObject([
    { host: 'gpu-0', state: 'done' },
    { host: 'gpu-1', state: 'failed', code: 'upstream_unreachable' },
  ]);
  // Nothing was said before it failed: it has its own status.
  expect((await pull('llama3.2:1b', { hosts: ['gpu-1'] })).status).toBe(502);
  await fleet.gpus[1]?.up();
});

test('a model that the registry does not have ends with model_not_found, without the server’s own words', async () => {
  const fleet = await startFleet(1, { ollama: fast });
  const text = await (await administer(fleet).pull('no-such-model')).text();
  expect(JSON.parse(text.trim().split('\n').at(-1) ?? '')).toMatchObject({ code: 'model_not_found' });
  expect(text).not.toContain('file does not exist');
});

const hostile = [
  'http://169.254.169.254/a/b',
  'https://evil.example/a/b:c',
  'evil.example/library/llama3.2',
  '127.0.0.1:11434/a/b',
  'hf.co/a/b',
  '[::1]/a/b',
  'registry.ollama.ai/library/llama3.2',
  'a//b',
  '../../etc/passwd',
  'a/../b',
  'a/b/c/d',
  'a..b',
  'a:..',
  'a b',
  'a\n',
  'a@sha256:aa',
  'llama3.2:',
  ':latest',
  '-x',
  'a?b=c',
  'ä',
  `${'a'.repeat(351)}`,
];

test.each(hostile)('pulling %j asks nothing of any server', async (model) => {
  const fleet = await startFleet(1);
  const { pull, ask } = administer(fleet);
  const before = modelsOf(fleet, 0).length;
  expect((await problemIn(await pull(model))).code).toBe('bad_request');
  for (const verb of ['load', 'unload']) {
    expect([400, 404]).toContain((await ask(`/admin/models/${verb}`, { body: { model } })).status);
  }
  expect([400, 404]).toContain((await ask('/admin/models', { method: 'DELETE', body: { model } })).status);
  // Looking whether a name is in a list is all that a name with a good form may cause.
  expect(
    modelsOf(fleet, 0)
      .slice(before)
      .filter((one) => !one.startsWith('GET ')),
  ).toEqual([]);
});

test('a beginning of a name in modelAdmin.pull does not let in the models of whoever calls itself so', async () => {
  const options = { modelAdmin: { pull: ['llama3*', 'team/*', 'hf.co/*'], registries: ['hf.co'] } };
  const fleet = await startFleet(1, { ollama: fast, options });
  const { pull } = administer(fleet);
  for (const model of ['llama3-evil/llama3', 'LLAMA3x/anything:1b', 'team-evil/model', 'hf-co/model']) {
    const { detail } = await problemIn(await pull(model));
    expect(detail).toContain('modelAdmin.pull');
  }
  expect(modelsOf(fleet, 0)).not.toContain('POST /api/pull');
  for (const model of ['llama3.2:1b', 'team/model', 'hf.co/user/model']) {
    expect(await (await pull(model)).text()).not.toContain('modelAdmin');
  }
});

test('what may be pulled is the operator’s to say, by name, by registry and by role', async () => {
  const options: Partial<ServerKitOptions> = {
    modelAdmin: { pull: ['llama3.2*', 'hf.co/*'], registries: ['HF.co'] },
    roles: {
      admin: { permissions: ['models:pull'], models: ['*'] },
      small: {
        permissions: ['models:pull', 'models:load', 'models:delete', 'chat'],
        models: ['llama3.2:1b'],
      },
    },
  };
  const fleet = await startFleet(1, { ollama: fast, options });
  const { pull, ask } = administer(fleet);
  expect((await problemIn(await pull('qwen3'))).detail).toContain('modelAdmin.pull');
  expect((await problemIn(await pull('evil.example/library/llama3.2'))).detail).toContain(
    'modelAdmin.registries',
  );
  expect(await (await pull('hf.co/user/model')).text()).toContain('model_not_found');
  const token = await fleet.token({ roles: ['small'] });
  expect(
    (await problemIn(await ask('/admin/models/pull', { token, body: { model: 'llama3.2:3b' } }))).code,
  ).toBe('model_not_found');
  const own = await ask('/admin/models/pull', { token, body: { model: 'llama3.2:1b' } });
  expect((await linesIn(own)).at(-1)).toMatchObject({ status: 'success' });
  // Another's pull is not there, and a model that is not its own neither.
  const { jobs } = (await (await ask('/admin/jobs', { token })).json()) as { jobs: ShownPull[] };
  expect(jobs.map(({ model }) => model)).toEqual(['llama3.2:1b']);
  const another = (await (await pull('llama3.2:3b', { stream: false })).json()) as ShownPull;
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/events'],
    ['DELETE', ''],
  ] as const) {
    const refused = await ask(`/admin/jobs/${another.id}${path}`, { token, method });
    expect((await problemIn(refused)).code).toBe('not_found');
  }
  expect(await (await ask(`/admin/jobs/${another.id}`)).json()).toMatchObject({ model: 'llama3.2:3b' });
  const left = (await (await ask('/admin/jobs', { token })).json()) as { jobs: ShownPull[] };
  expect(left.jobs.map(({ model }) => model)).toEqual(['llama3.2:1b']);
  for (const model of ['stand-in', 'no-such-model']) {
    const refused = await ask('/admin/models', { token, method: 'DELETE', body: { model } });
    expect((await problemIn(refused)).code).toBe('model_not_found');
  }
  expect(modelsOf(fleet, 0)).not.toContain('DELETE /api/delete');
});

test.each(['insecure', 'path', 'from', 'username', 'password', 'name'])(
  'a pull cannot say %s',
  async (member) => {
    const fleet = await startFleet(1);
    const response = await administer(fleet).pull('llama3.2:1b', { [member]: true });
    expect((await problemIn(response)).code).toBe('bad_request');
    expect(modelsOf(fleet, 0)).not.toContain('POST /api/pull');
  },
);

test('creating, pushing, copying and blobs have no address', async () => {
  const fleet = await startFleet(1);
  const { ask } = administer(fleet);
  for (const verb of ['create', 'push', 'copy', 'blobs']) {
    const target = `/admin/models/${verb}`;
    expect(await fleet.ask(target, { body: {} }), target).toBeUndefined();
    const closed = verb === 'blobs' ? `/api/blobs/sha256:${'a'.repeat(64)}` : `/api/${verb}`;
    expect((await ask(closed, { body: {} })).status).toBe(403);
  }
});

test('a load goes where the model is already, else where it puts nobody out; unload and delete go everywhere', async () => {
  const fleet = await startFleet(2);
  const { ask, models } = administer(fleet);
  const memory = async () => (await models()).of('stand-in:latest')?.hosts.map((one) => one.memory);
  expect(await memory()).toEqual(['absent', 'absent']);
  const load = await ask('/admin/models/load', {
    body: { model: 'Stand-In', hosts: ['gpu-1'], keep_alive: '10m' },
  });
  expect(await load.json()).toEqual({ model: 'Stand-In', hosts: ['gpu-1'] });
  expect(await memory()).toEqual(['absent', 'loaded']);
  // It is there already.
  expect(await (await ask('/admin/models/load', { body: { model: 'stand-in' } })).json()).toMatchObject({
    hosts: ['gpu-1'],
  });
  expect(
    await (await ask('/admin/models/unload', { body: { model: 'stand-in', keep_alive: 0 } })).json(),
  ).toMatchObject({
    hosts: ['gpu-1'],
  });
  expect(await memory()).toEqual(['absent', 'absent']);
  const gone = await ask('/admin/models', { method: 'DELETE', body: { model: 'stand-in' } });
  expect(await gone.json()).toMatchObject({ hosts: ['gpu-0', 'gpu-1'] });
  expect(await memory()).toBeUndefined();
  expect((await problemIn(await ask('/admin/models/load', { body: { model: 'stand-in' } }))).code).toBe(
    'model_not_found',
  );
  expect(
    (
      await problemIn(
        await ask('/admin/models/load', { body: { model: 'stand-in-embed', hosts: ['gpu-9'] } }),
      )
    ).code,
  ).toBe('not_found');
});

test('a model that only makes vectors is loaded too, and one load serves two who ask', async () => {
  const fleet = await startFleet(1, { ollama: { loadMs: 100 } });
  const { ask } = administer(fleet);
  const body = { model: 'stand-in-embed' };
  const both = await Promise.all([ask('/admin/models/load', { body }), ask('/admin/models/load', { body })]);
  expect(both.map(({ status }) => status)).toEqual([200, 200]);
  expect(modelsOf(fleet, 0).filter((one) => one === 'POST /api/embed')).toHaveLength(1);
});

test('every change is in the log with who made it, and with how it ended', async () => {
  const fleet = await startFleet(1, { ollama: fast });
  const { ask, pull } = administer(fleet);
  await (await pull('llama3.2:1b')).text();
  await ask('/admin/models/load', { body: { model: 'llama3.2:1b' } });
  await ask('/admin/models', { method: 'DELETE', body: { model: 'llama3.2:1b' } });
  const told = fleet.logs.filter(({ message }) => message === 'llm admin').map(({ fields }) => fields);
  expect(told).toMatchObject([
    { action: 'models.pull', model: 'llama3.2:1b', hosts: 'gpu-0', by: 'root', state: 'running' },
    { action: 'models.pull', by: 'root', state: 'done', durationMs: expect.any(Number) },
    { action: 'models.load', host: 'gpu-0', by: 'root', state: 'done' },
    { action: 'models.delete', host: 'gpu-0', by: 'root', state: 'done' },
  ]);
  const requests = fleet.logs.filter(({ fields }) => String(fields['route']).startsWith('/admin/models'));
  expect(requests.map(({ fields }) => fields['outcome'])).toEqual(['ok', 'ok', 'ok']);
});

test('no more pulls go on at once than may, and a kit that closes ends them', async () => {
  const fleet = await startFleet(1, { ollama: slow, options: { modelAdmin: { maxPulls: 1 } } });
  const { pull, jobs } = administer(fleet);
  await pull('llama3.2:1b', { stream: false });
  const refused = await problemIn(await pull('llama3.2:3b'));
  expect(refused).toMatchObject({ code: 'server_busy', retryAfterMs: 30_000 });
  await expect.poll(async () => (await jobs())[0]?.hosts[0]?.last?.digest).toBeDefined();
  const following = await pull('llama3.2:1b');
  await fleet.kit.close({ drainMs: 0 });
  expect((await linesIn(following)).at(-1)).toMatchObject({ code: 'shutting_down', retryable: true });
});

test('a kit that does not manage models has none of the addresses; others’ servers are their own affair', async () => {
  const without = await startFleet(1, { options: { modelAdmin: false } });
  for (const target of ['/admin/models', '/admin/jobs', '/admin/jobs/x/events']) {
    expect(await without.ask(target, { token: await without.token({ roles: ['admin'] }) })).toBeUndefined();
  }
  const openAi = await startFleet(1, { upstream: { dialect: 'openai' } });
  const { pull } = administer(openAi);
  expect((await problemIn(await pull('llama3.2:1b'))).code).toBe('capability_unsupported');
});

test('a log that is full stops no change of models, and no pull on its way', async () => {
  const full = () => {
    throw new Error('the log is full');
  };
  const fleet = await startFleet(2, {
    ollama: fast,
    options: { logger: { info: full, warn: full, error: full } },
  });
  const { ask, pull, jobs } = administer(fleet);
  expect((await linesIn(await pull('llama3.2:1b'))).at(-1)).toMatchObject({ status: 'success' });
  expect(await jobs()).toMatchObject([{ state: 'done' }]);
  const deleted = await ask('/admin/models', { method: 'DELETE', body: { model: 'llama3.2:1b' } });
  expect(await deleted.json()).toEqual({ model: 'llama3.2:1b', hosts: ['gpu-0', 'gpu-1'] });
});
