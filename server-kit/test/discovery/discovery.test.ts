import { createServer } from 'node:net';
import { say, stall } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { describe, expect, test } from 'vitest';
import { createServerKit, type ServerKitOptions } from '../../src/index.ts';
import { chatAs, closeLater, isWhole, type ShownUpstream } from '../fleet/fleet.ts';
import { type Bench, DrivenClock, eventsIn, startBench } from '../harness.ts';
import { randomFrom } from '../queue/random.ts';
import { ToldSource } from './source.ts';

const endless = Number.POSITIVE_INFINITY;
const unlimited = { requestsPerMinute: endless, requestsPerMinutePerAddress: endless, maxInFlight: endless };
const loopback = ['127.0.0.1'];

async function startGpus(count: number, tokensPerSecond = endless) {
  const gpus = [];
  for (let at = 0; at < count; at++) {
    gpus.push(closeLater(await startFakeOllama({ tokensPerSecond, slotsPerModel: 64 })));
  }
  return gpus;
}

async function startFound(source: ToldSource, options: Partial<ServerKitOptions> = {}): Promise<Bench> {
  return startBench({ upstreams: [], limits: unlimited, discovery: { source, allow: loopback }, ...options });
}

async function shown(bench: Bench) {
  const response = await bench.answer('/admin/upstreams', { token: await bench.token({ roles: ['admin'] }) });
  return (await response.json()) as {
    upstreams: (ShownUpstream & { joining: boolean; url: string })[];
    discovery: {
      fresh: boolean;
      found: number;
      failures: number;
      refused: number;
      reason: string | null;
    } | null;
  };
}

const inUse = async (bench: Bench) =>
  (await shown(bench)).upstreams.filter(({ joining }) => !joining).map(({ id }) => id);
const listOf = (gpus: { url: string }[]) =>
  gpus.map(({ url }, at) => ({ url, name: `gpu-${at}`, slots: 64 }));

describe('model servers that are found', () => {
  test('answer once they are there; until then it is 503 or 502 with a time to come back', async () => {
    const [gpu] = await startGpus(1);
    const source = new ToldSource();
    const bench = await startFound(source);
    expect((await bench.answer('/health/ready')).status).toBe(503);
    const early = await bench.chat();
    expect(early.status).toBe(502);
    expect(early.headers.get('retry-after')).toBe('2');
    expect((await bench.answer('/models')).status).toBe(502);
    source.found(listOf([gpu as { url: string }]));
    await expect.poll(() => inUse(bench)).toEqual(['gpu-0']);
    expect(isWhole(await chatAs(bench, 'ada'))).toBe(true);
    expect((await bench.answer('/health/ready')).status).toBe(200);
  });

  test('are not used before they have answered, and are asked again until they do', async () => {
    const [good, late] = await startGpus(2);
    const clock = new DrivenClock();
    const source = new ToldSource();
    await late?.down();
    const bench = await startFound(source, { clock });
    source.found(listOf([good, late] as { url: string }[]));
    await expect.poll(() => inUse(bench)).toEqual(['gpu-0']);
    for (let at = 0; at < 10; at++) expect(isWhole(await chatAs(bench, `user-${at}`))).toBe(true);
    expect((await shown(bench)).upstreams.find(({ id }) => id === 'gpu-1')).toMatchObject({
      joining: true,
      attempts: 0,
      lastFault: { code: 'upstream_unreachable' },
    });
    await late?.up();
    await expect
      .poll(async () => {
        await clock.drive(1000);
        return inUse(bench);
      })
      .toEqual(['gpu-0', 'gpu-1']);
  });

  test('that vanish finish what they write and get nothing new', async () => {
    const [old, next] = await startGpus(2);
    const source = new ToldSource(listOf([old] as { url: string }[]));
    const bench = await startFound(source);
    await expect.poll(() => inUse(bench)).toEqual(['gpu-0']);
    old?.fake.script([say('begun '), stall(100), say('and ended')]);
    const running = await bench.chat();
    source.found([{ url: (next as { url: string }).url, name: 'next', slots: 64 }]);
    await expect.poll(() => inUse(bench)).toEqual(['next']);
    next?.fake.script(say('from the next'), { times: endless });
    const texts = (events: Awaited<ReturnType<typeof eventsIn>>) =>
      events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : [])).join('');
    expect(texts(await eventsIn(await bench.chat()))).toBe('from the next');
    const events = await eventsIn(running);
    expect(isWhole(events)).toBe(true);
    expect(texts(events)).toBe('begun and ended');
  });

  test('all at once for others that do not answer: the last ones stay in use', async () => {
    const [good, dead] = await startGpus(2);
    const source = new ToldSource(listOf([good] as { url: string }[]));
    const bench = await startFound(source);
    await expect.poll(() => inUse(bench)).toEqual(['gpu-0']);
    await dead?.down();
    source.found([{ url: (dead as { url: string }).url, name: 'dead' }]);
    await expect.poll(async () => (await shown(bench)).upstreams.length).toBe(2);
    expect(isWhole(await chatAs(bench, 'ada'))).toBe(true);
    expect(await inUse(bench)).toEqual(['gpu-0']);
  });
});

describe('a discovery that fails', () => {
  test.each([
    ['says so', (source: ToldSource) => source.failed('ESERVFAIL'), 'ESERVFAIL'],
    ['gives nothing', (source: ToldSource) => source.found([]), 'nothing was found'],
    [
      'gives nothing that may be used',
      (source: ToldSource) => source.found([{ url: 'http://169.254.169.254' }, { url: 'ftp://a' }]),
      'nothing that was found may be used',
    ],
    ['gives no list', (source: ToldSource) => source.found({} as unknown as []), 'nothing was found'],
  ])('%s: the last list stays, and it is told once', async (_how, fail, reason) => {
    const gpus = await startGpus(1);
    const source = new ToldSource(listOf(gpus));
    const bench = await startFound(source);
    await expect.poll(() => inUse(bench)).toEqual(['gpu-0']);
    for (let at = 0; at < 3; at++) fail(source);
    expect(isWhole(await chatAs(bench, 'ada'))).toBe(true);
    expect((await shown(bench)).discovery).toMatchObject({ fresh: false, found: 1, failures: 3, reason });
    const stale = bench.logs.filter(({ fields }) => fields['code'] === 'discovery_stale');
    expect(stale).toHaveLength(1);
    expect(stale[0]?.fields).toMatchObject({ reason });
    source.found(listOf(gpus));
    expect((await shown(bench)).discovery).toMatchObject({ fresh: true, reason: null });
    expect(bench.logs.at(-2)?.message ?? bench.logs.at(-1)?.message).toBeDefined();
    expect(bench.logs.some(({ message }) => message === 'Model servers are found again.')).toBe(true);
  });

  test('servers that are not allowed are left out, the others are used, and no address is in the log', async () => {
    const gpus = await startGpus(1);
    const source = new ToldSource();
    const bench = await startFound(source);
    source.found([
      ...listOf(gpus),
      { url: 'http://169.254.169.254/canary', name: 'metadata' },
      { url: 'http://canary:pw@127.0.0.1:1' },
      { url: 'http://127.0.0.2:1', name: 'other' },
    ]);
    await expect.poll(() => inUse(bench)).toEqual(['gpu-0']);
    expect((await shown(bench)).discovery).toMatchObject({ found: 1, refused: 3 });
    expect(bench.logs.filter(({ fields }) => fields['code'] === 'upstreams_refused')).toHaveLength(1);
    expect(JSON.stringify(bench.logs)).not.toMatch(/canary|127\.0\.0\.2|169\.254/);
  });

  test('a name that leads somewhere else is never connected to', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const source = new ToldSource();
    // `localhost` is well formed; its address is not in the private networks.
    const bench = await startBench({ upstreams: [], discovery: { source } });
    source.found([{ url: `http://localhost:${port}`, name: 'rebound' }]);
    await expect
      .poll(async () => (await shown(bench)).upstreams[0]?.lastFault?.code)
      .toBe('upstream_unreachable');
    expect(connections).toBe(0);
    server.close();
  });
});

test('200 replacements at random under load: no stream is dropped, no request refused', async () => {
  const gpus = await startGpus(4, 4000);
  const all = listOf(gpus);
  const source = new ToldSource(all);
  const bench = await startFound(source);
  await expect.poll(async () => (await inUse(bench)).length).toBe(4);
  const random = randomFrom(4711);
  let asked = 0;
  let isOver = false;
  const broken: unknown[] = [];
  const ask = async (who: string) => {
    while (!isOver) {
      asked++;
      const events = await chatAs(bench, who);
      if (!isWhole(events)) broken.push(events.at(-1));
    }
  };
  const users = Array.from({ length: 12 }, (_, at) => ask(`user-${at}`));
  for (let round = 0; round < 200; round++) {
    const some = all.filter(() => random() < 0.5);
    // Now and then nothing, and now and then the same machine under another name.
    const renamed = some.map((one) => (random() < 0.1 ? { ...one, name: `${one.name}-${round}` } : one));
    source.found(renamed);
    await new Promise((resolve) => setTimeout(resolve, random() * 6));
  }
  isOver = true;
  await Promise.all(users);
  expect(broken).toEqual([]);
  expect(asked).toBeGreaterThan(200);
  source.found(all);
  await expect.poll(() => inUse(bench)).toEqual(all.map(({ name }) => name));
  await expect.poll(() => bench.kit.gauges().openUpstream).toBe(0);
}, 30_000);

describe('options', () => {
  test('named ones stay beside those that are found, and win where both have one name', async () => {
    const [named, found] = await startGpus(2);
    const source = new ToldSource();
    const bench = await startFound(source, {
      upstreams: [{ url: (named as { url: string }).url, name: 'gpu-0' }],
    });
    source.found([
      { url: (found as { url: string }).url, name: 'gpu-0' },
      { url: (found as { url: string }).url, name: 'gpu-1' },
      { url: (named as { url: string }).url, name: 'again' },
    ]);
    await expect.poll(() => inUse(bench)).toEqual(['gpu-0', 'gpu-1']);
    expect((await shown(bench)).upstreams[0]?.url).toContain((named as { url: string }).url);
  });

  test('defaults hold for every server that is found', async () => {
    const gpus = await startGpus(1);
    const source = new ToldSource(gpus.map(({ url }) => ({ url })));
    const discovery = { source, allow: loopback, defaults: { slots: 7 } };
    const bench = await startFound(source, { discovery });
    await expect.poll(async () => (await shown(bench)).upstreams[0]?.models[0]?.slots).toBe(7);
  });

  test.each([
    ['an address', '127.0.0.1', ['10.0.0.0/8'], 502],
    ['a name', 'localhost', ['10.0.0.0/8'], 502],
    ['an address that is still allowed', '127.0.0.1', ['127.0.0.1', '10.0.0.0/8'], 200],
  ])(
    'an allow-list that no longer has what is in use takes it out at once: %s',
    async (_what, host, allow, status) => {
      const gpus = await startGpus(1);
      const url = (gpus[0]?.url ?? '').replace('127.0.0.1', host);
      const source = new ToldSource([{ url, name: 'gpu-0', slots: 64 }]);
      const bench = await startFound(source);
      await expect.poll(() => inUse(bench)).toEqual(['gpu-0']);
      expect((await bench.chat()).status).toBe(200);
      bench.kit.reload({
        upstreams: [],
        discovery: { source, allow },
        authenticate: () => ({ id: 'ada', roles: ['user'] }),
      });
      const ask = () => bench.chat({}, { headers: { origin: 'http://ziggie.invalid' } });
      expect((await ask()).status).toBe(status);
      const chats = gpus[0]?.fake.report().requests.filter(({ path }) => path === '/api/chat');
      expect(chats).toHaveLength(status === 200 ? 2 : 1);
    },
  );

  test('other ones: the same source is watched on, another one takes over, none ends it', async () => {
    const gpus = await startGpus(1);
    const source = new ToldSource(listOf(gpus));
    const bench = await startFound(source);
    await expect.poll(() => inUse(bench)).toEqual(['gpu-0']);
    const options = (discovery: ServerKitOptions['discovery']): ServerKitOptions => ({
      upstreams: [],
      discovery,
      authenticate: () => ({ id: 'ada', roles: ['user'] }),
    });
    bench.kit.reload(options({ source, allow: loopback }));
    expect(source.watches).toBe(1);
    const other = new ToldSource();
    bench.kit.reload(options({ source: other, allow: loopback }));
    expect([source.isWatched, other.isWatched]).toEqual([false, true]);
    const ask = () => bench.chat({}, { headers: { origin: 'http://ziggie.invalid' } });
    expect((await ask()).status).toBe(200);
    bench.kit.reload({ ...options(undefined), upstreams: [{ url: gpus[0]?.url ?? '' }] });
    expect(other.isWatched).toBe(false);
  });

  test.each([
    [{ upstreams: [] }, 'upstreams: must name at least one model server'],
    [{ upstreams: [], discovery: { source: {} } }, 'discovery.source: must have watch(listener)'],
    [{ upstreams: [], discovery: { source: new ToldSource(), allow: ['0.0.0.0/0'] } }, 'discovery.allow.0: '],
    [{ upstreams: [], discovery: { source: new ToldSource(), allow: [] } }, 'discovery.allow: '],
    [
      { upstreams: [], discovery: { source: new ToldSource(), defaults: { name: 'x' } } },
      'discovery.defaults: ',
    ],
  ])('%j is refused by its path', (options, words) => {
    expect(() => createServerKit(options as unknown as ServerKitOptions)).toThrow(words);
  });

  test('a kit that is closed looks no more', async () => {
    const source = new ToldSource();
    const kit = createServerKit({ upstreams: [], discovery: { source } });
    expect(source.isWatched).toBe(true);
    await kit.close({ drainMs: 0 });
    expect(source.isWatched).toBe(false);
  });
});
