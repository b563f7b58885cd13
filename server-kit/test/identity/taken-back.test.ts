import { say, stall } from '@ziggie/llm-testing';
import { describe, expect, test } from 'vitest';
import { MemoryKeyStore, MemoryRevocationStore } from '../../src/index.ts';
import {
  type Ask,
  audience,
  type Bench,
  DrivenClock,
  eventsIn,
  hello,
  issuer,
  problemIn,
  secret,
  startBench,
} from '../harness.ts';
import { startNode, startPacer } from '../streams/nodes.ts';

const pepper = 'a pepper of the tests, of more than 32 bytes';
const auth = { jwt: { secret, issuer, audience }, keys: { pepper } } as const;

/** What is running is looked at this often, and at once where a credential was taken back. */
const lookMs = 5000;

type Driven = Bench & { clock: DrivenClock };

type Options = Parameters<typeof startBench>[0] & { slots?: number };

async function start({ slots, ...options }: Options = {}): Promise<Driven> {
  const clock = new DrivenClock();
  const bench = (await startBench({ auth, ...options, clock }, { slotsPerModel: 8 })) as Driven;
  if (slots !== undefined) {
    bench.kit.reload({ doctor: false, auth, ...options, upstreams: [{ url: bench.ollama.url, slots }] });
  }
  return bench;
}

/** A bench whose store of revocations is in the hands of the test, or of another process. */
async function startWithStore() {
  const clock = new DrivenClock();
  const revocations = new MemoryRevocationStore(() => clock.wallNow());
  const bench = (await startBench({ auth, clock, stores: { revocations } }, { slotsPerModel: 8 })) as Driven;
  return { bench, clock, revocations };
}

/** Begins an answer that does not end by itself. */
async function begin(bench: Driven, ask: Ask = {}, path = '/chat', body: object = hello): Promise<Response> {
  bench.ollama.fake.script([say('begun'), stall()]);
  const asked = bench.answer(path, { body, ...ask });
  await bench.ollama.fake.waitFor(({ openGenerations }) => openGenerations > 0);
  return asked;
}

/** Lets the promises that were begun go on. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
}

const freed = (bench: Driven) => bench.ollama.fake.waitFor(({ openGenerations }) => openGenerations === 0);

describe('a running answer ends, typed, when what it was asked with is taken back', () => {
  const ways: [string, (bench: Driven) => Promise<{ token: string; takeBack: () => Promise<unknown> }>][] = [
    [
      'a token',
      async (bench) => {
        const token = await bench.token();
        return { token, takeBack: () => bench.kit.revocations.revoke({ token }) };
      },
    ],
    [
      'a token, by its id',
      async (bench) => {
        const token = await bench.token({ jti: 'the-one' });
        return { token, takeBack: () => bench.kit.revocations.revoke({ issuer, tokenId: 'the-one' }) };
      },
    ],
    [
      'everything of a principal',
      async (bench) => ({
        token: await bench.token(),
        takeBack: () => bench.kit.revocations.revoke({ principalId: 'ada' }),
      }),
    ],
    [
      'an API key',
      async (bench) => {
        const { key, info } = await bench.kit.keys.create({ ownerId: 'ada', roles: ['user'] });
        return { token: key, takeBack: () => bench.kit.keys.revoke(info.id) };
      },
    ],
    [
      'the secret of an API key, by a reroll',
      async (bench) => {
        const { key, info } = await bench.kit.keys.create({ ownerId: 'ada', roles: ['user'] });
        return { token: key, takeBack: () => bench.kit.keys.reroll(info.id) };
      },
    ],
  ];

  test.each(ways)('%s', async (_what, prepare) => {
    const bench = await start();
    const { token, takeBack } = await prepare(bench);
    const answer = await begin(bench, { token });
    const neighbour = await begin(bench, { token: await bench.token({ sub: 'bob' }) });
    await takeBack();
    const events = await eventsIn(answer);
    expect(events.at(-1)).toMatchObject({
      type: 'error',
      code: 'unauthorized',
      status: 401,
      retryable: false,
    });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at));
    // Nobody else is meant.
    await bench.ollama.fake.waitFor(({ openGenerations }) => openGenerations === 1);
    expect(bench.kit.gauges()).toMatchObject({ activeRequests: 1, openUpstream: 1 });
    expect(bench.logs.find(({ fields }) => fields['code'] === 'unauthorized')?.fields).toMatchObject({
      outcome: 'failed',
      route: '/chat',
      reason: 'credential was taken back',
    });
    await neighbour.body?.cancel();
    await freed(bench);
  });

  test.each([
    ['NDJSON', '/chat', hello, {}, '"type":"error","code":"unauthorized"'],
    ['SSE', '/chat', hello, { accept: 'text/event-stream' }, '"type":"error","code":"unauthorized"'],
    ['/api/chat', '/api/chat', hello, {}, '"error":"The credential'],
    [
      '/v1/chat/completions',
      '/v1/chat/completions',
      { ...hello, stream: true },
      {},
      '"code":"invalid_api_key"',
    ],
    [
      '/v1/messages',
      '/v1/messages',
      { ...hello, stream: true, max_tokens: 100 },
      {},
      '"type":"authentication_error"',
    ],
    [
      '/v1/responses',
      '/v1/responses',
      { model: 'stand-in', input: 'Hello', stream: true },
      {},
      'response.failed',
    ],
  ])('over %s', async (_name, path, body, headers, end) => {
    const bench = await start();
    const { key, info } = await bench.kit.keys.create({ ownerId: 'ada', roles: ['user'] });
    const answer = await begin(bench, { token: key, headers }, path, body);
    expect(answer.status).toBe(200);
    const text = answer.text();
    await bench.kit.keys.revoke(info.id);
    const all = await text;
    expect(all).toContain('begun');
    expect(all).toContain(end);
    expect(all).not.toMatch(/"done":true|\[DONE\]|message_stop|response\.completed/);
    await freed(bench);
  });

  test('a complete answer that is being waited for is a 401', async () => {
    const bench = await start();
    const token = await bench.token();
    const answer = begin(bench, { token }, '/chat', { ...hello, stream: false });
    await bench.ollama.fake.waitFor(({ openGenerations }) => openGenerations > 0);
    await settle();
    await bench.kit.revocations.revoke({ token });
    const refused = await answer;
    expect(refused.status).toBe(401);
    expect(await problemIn(refused)).toMatchObject({ code: 'unauthorized' });
    await freed(bench);
  });

  test('one that waits in a line leaves it', async () => {
    const bench = await start({ slots: 1 });
    const first = await begin(bench);
    const token = await bench.token({ sub: 'bob' });
    const asked = bench.answer('/chat', { body: hello, token });
    await expect.poll(() => bench.kit.gauges().queued).toBe(1);
    await bench.clock.drive(501);
    const waiting = await asked;
    await bench.kit.revocations.revoke({ principalId: 'bob' });
    expect((await eventsIn(waiting)).at(-1)).toMatchObject({ type: 'error', code: 'unauthorized' });
    expect(bench.kit.gauges()).toMatchObject({ queued: 0, openUpstream: 1 });
    await first.body?.cancel();
    await freed(bench);
  });

  test('vectors that are being made are a 401', async () => {
    const pacer = await startPacer();
    const node = await startNode(pacer, { auth });
    const token = await node.token();
    const answer = node.answer('/embed', { body: { model: 'raw', input: 'Hello' }, token });
    const { closed } = await pacer.exchange();
    await node.kit.revocations.revoke({ token });
    expect((await answer).status).toBe(401);
    await closed;
  });

  test('whom the host app let in, by the id of the principal', async () => {
    const bench = await start({ auth: undefined, authenticate: () => ({ id: 'ada', roles: ['user'] }) });
    const headers = { origin: 'http://ziggie.invalid' };
    const answer = await begin(bench, { headers });
    await bench.kit.revocations.revoke({ principalId: 'grace' });
    await bench.clock.drive(lookMs);
    expect(bench.kit.gauges()).toMatchObject({ openUpstream: 1 });
    await bench.kit.revocations.revoke({ principalId: 'ada' });
    expect((await eventsIn(answer)).at(-1)).toMatchObject({ code: 'unauthorized' });
    await freed(bench);
  });

  test('what was written so far is charged', async () => {
    const rules = [
      { name: 'tokens', per: 'user', limit: 10_000, unit: 'totalTokens', window: 'day' },
    ] as const;
    const bench = await start({ limits: { rules } });
    const token = await bench.token();
    bench.ollama.fake.script([say('one two three four five six seven eight'), stall()]);
    const answer = await bench.answer('/chat', { body: hello, token });
    await settle();
    await bench.kit.revocations.revoke({ token });
    const events = await eventsIn(answer);
    const written = events.filter(({ type }) => type === 'text-delta').length;
    expect(written).toBeGreaterThan(0);
    await freed(bench);
    await settle();
    const { limits } = (await (
      await bench.answer('/me/limits', { token: await bench.token({ iat: undefined, jti: 'x' }) })
    ).json()) as {
      limits: { name: string; left: number }[];
    };
    const used = 10_000 - (limits.find(({ name }) => name === 'tokens')?.left ?? 0);
    expect(used).toBeGreaterThanOrEqual(written);
    expect(used).toBeLessThan(1000);
  });
});

describe('where it is taken back by another process, a running answer ends within 5 s', () => {
  test('a token, in the shared store of revocations', async () => {
    const { bench, clock, revocations } = await startWithStore();
    const other = await startBench({ auth, clock, stores: { revocations } });
    const token = await bench.token();
    const answer = await begin(bench, { token });
    await other.kit.revocations.revoke({ token });
    await clock.drive(lookMs - 1);
    expect(bench.kit.gauges()).toMatchObject({ openUpstream: 1 });
    await clock.drive(1);
    expect((await eventsIn(answer)).at(-1)).toMatchObject({ type: 'error', code: 'unauthorized' });
    await freed(bench);
  });

  test('a key that was read a moment before', async () => {
    const clock = new DrivenClock();
    const keys = new MemoryKeyStore();
    const bench = (await startBench({ auth, clock, stores: { keys } })) as Driven;
    const other = await startBench({ auth, clock, stores: { keys } });
    const { key, info } = await bench.kit.keys.create({ ownerId: 'ada', roles: ['user'] });
    const answer = await begin(bench, { token: key });
    await clock.drive(lookMs - 1);
    // The look must not be content with this.
    await bench.answer('/models', {
      token: (await bench.kit.keys.create({ ownerId: 'ada', roles: ['user'] })).key,
    });
    await other.kit.keys.revoke(info.id);
    await clock.drive(1);
    expect((await eventsIn(answer)).at(-1)).toMatchObject({ type: 'error', code: 'unauthorized' });
    await freed(bench);
  });

  test('an owner of a key whom the host app no longer knows', async () => {
    let isThere = true;
    const bench = await start({
      auth: { keys: { pepper, rolesOf: () => (isThere ? ['user'] : null) } },
    });
    const { key } = await bench.kit.keys.create({ ownerId: 'ada', roles: ['user'] });
    const answer = await begin(bench, { token: key });
    isThere = false;
    await bench.clock.drive(lookMs);
    expect((await eventsIn(answer)).at(-1)).toMatchObject({ type: 'error', code: 'unauthorized' });
    await freed(bench);
  });
});

describe('a running answer goes on', () => {
  test('when its token expires, and still ends when that is taken back', async () => {
    const bench = await start({ timeouts: { idleMs: 300_000 } });
    const token = await bench.token();
    const answer = await begin(bench, { token });
    await bench.clock.drive(55_000);
    await bench.clock.drive(4_000);
    expect((await bench.answer('/models', { token })).status).toBe(200);
    bench.clock.advance(61_000);
    await bench.clock.drive(lookMs);
    expect((await bench.answer('/models', { token })).status).toBe(401);
    expect(bench.kit.gauges()).toMatchObject({ openUpstream: 1 });
    await bench.kit.revocations.revoke({ token });
    expect((await eventsIn(answer)).at(-1)).toMatchObject({ type: 'error', code: 'unauthorized' });
    await freed(bench);
  });

  test('when its API key expires, or is rerolled with a grace that has not ended', async () => {
    const bench = await start({ timeouts: { idleMs: 3_600_000 } });
    const { clock, kit } = bench;
    const expiresAt = new Date(clock.wallNow() + 30_000);
    const short = await kit.keys.create({ ownerId: 'ada', roles: ['user'], expiresAt });
    const long = await kit.keys.create({ ownerId: 'bob', roles: ['user'] });
    const expiring = await begin(bench, { token: short.key });
    const rerolled = await begin(bench, { token: long.key });
    await kit.keys.reroll(long.info.id, { graceSeconds: 60 });
    await clock.drive(40_000);
    expect(kit.gauges()).toMatchObject({ openUpstream: 2 });
    await clock.drive(20_000);
    expect((await eventsIn(rerolled)).at(-1)).toMatchObject({ type: 'error', code: 'unauthorized' });
    expect(kit.gauges()).toMatchObject({ openUpstream: 1 });
    await expiring.body?.cancel();
    await freed(bench);
  });

  test('when nobody can say whether it may', async () => {
    const { bench, clock, revocations } = await startWithStore();
    const answer = await begin(bench);
    const { revokedAt } = revocations;
    let asked = 0;
    revocations.revokedAt = async () => {
      asked++;
      throw new Error('the store is away');
    };
    await clock.drive(lookMs);
    expect(asked).toBe(1);
    expect(bench.kit.gauges()).toMatchObject({ openUpstream: 1 });
    revocations.revokedAt = revokedAt;
    await bench.kit.revocations.revoke({ principalId: 'ada' });
    expect((await eventsIn(answer)).at(-1)).toMatchObject({ code: 'unauthorized' });
    await freed(bench);
  });
});

test('what is taken back while the store is being asked is asked about again, not at the next look', async () => {
  const clock = new DrivenClock();
  const memory = new MemoryRevocationStore(() => clock.wallNow());
  let isSlow = false;
  let asked = 0;
  let answer = () => {};
  const revocations = {
    revoke: (...noted: Parameters<typeof memory.revoke>) => memory.revoke(...noted),
    revokedAt: async (ids: readonly string[]) => {
      const said = await memory.revokedAt(ids);
      asked++;
      if (isSlow) {
        isSlow = false;
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
      }
      return said;
    },
  };
  const bench = (await startBench({ auth, clock, stores: { revocations } }, { slotsPerModel: 8 })) as Driven;
  const token = await bench.token();
  const response = await begin(bench, { token });
  const before = asked;
  isSlow = true;
  await clock.drive(lookMs);
  expect(asked).toBe(before + 1);
  await bench.kit.revocations.revoke({ token });
  answer();
  await freed(bench);
  expect((await eventsIn(response)).at(-1)).toMatchObject({ type: 'error', code: 'unauthorized' });
});

test('streams with one credential are one question to the store', async () => {
  const { bench, clock, revocations } = await startWithStore();
  const token = await bench.token();
  bench.ollama.fake.script([say('begun'), stall()], { times: 4 });
  const answers = await Promise.all([1, 2, 3, 4].map(() => bench.answer('/chat', { body: hello, token })));
  await bench.ollama.fake.waitFor(({ openGenerations }) => openGenerations === 4);
  let asked = 0;
  const ask = revocations.revokedAt.bind(revocations);
  revocations.revokedAt = (ids) => {
    asked++;
    return ask(ids);
  };
  await clock.drive(lookMs);
  expect(asked).toBe(1);
  for (const answer of answers) await answer.body?.cancel();
  await freed(bench);
});

describe('an answer that several read', () => {
  test('ends for the reader alone whose own credential is taken back', async () => {
    const bench = await start();
    const token = await bench.token();
    bench.ollama.fake.script([say('begun'), stall()]);
    const answer = await bench.answer('/chat', { body: { ...hello, resume: true }, token });
    const id = answer.headers.get('x-ziggie-stream-id');
    const second = await bench.token({ jti: 'second' });
    const reader = await bench.answer(`/streams/${id}`, { token: second });
    await settle();
    await bench.kit.revocations.revoke({ token: second });
    const events = await eventsIn(reader);
    expect(events.at(-1)).toMatchObject({ type: 'error', code: 'unauthorized', status: 401 });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at));
    expect(bench.kit.gauges()).toMatchObject({ openUpstream: 1 });
    expect((await bench.answer(`/streams/${id}`, { method: 'DELETE', token })).status).toBe(204);
    expect((await eventsIn(answer)).at(-1)).toMatchObject({ type: 'error' });
    await freed(bench);
  });

  test('ends with what it was asked with, though its reader is away', async () => {
    const bench = await start();
    const token = await bench.token();
    bench.ollama.fake.script([say('begun'), stall()]);
    const answer = await bench.answer('/chat', { body: { ...hello, resume: true }, token });
    const id = answer.headers.get('x-ziggie-stream-id');
    await answer.body?.cancel();
    await settle();
    expect(bench.kit.gauges()).toMatchObject({ openUpstream: 1 });
    await bench.kit.revocations.revoke({ token });
    await freed(bench);
    const later = await bench.token({ jti: 'later', iat: Math.floor(bench.clock.wallNow() / 1000) + 2 });
    const rest = await bench.answer(`/streams/${id}`, { token: later });
    expect((await eventsIn(rest)).at(-1)).toMatchObject({ type: 'error', code: 'unauthorized' });
  });

  test('goes on for the others who share it', async () => {
    const bench = await start({ cache: { keep: false } });
    const ask = { ...hello, options: { temperature: 0 } };
    const [ada, bob] = [await bench.token(), await bench.token({ sub: 'bob' })];
    const first = await begin(bench, { token: ada }, '/chat', ask);
    const second = await bench.answer('/chat', { body: ask, token: bob });
    expect(second.headers.get('x-ziggie-cache')).toBe('coalesced');
    await bench.kit.revocations.revoke({ token: ada });
    expect((await eventsIn(first)).at(-1)).toMatchObject({ type: 'error', code: 'unauthorized' });
    expect(bench.kit.gauges()).toMatchObject({ openUpstream: 1 });
    await second.body?.cancel();
    await freed(bench);
  });
});

describe('the progress of a pull', () => {
  const pull = { model: 'llama3.2:1b' };
  const slow = { pullBytesPerSecond: 50_000_000 };

  test('ends, typed, for an administrator whose key is taken back, and with its last reader the pull', async () => {
    const clock = new DrivenClock();
    const bench = (await startBench({ auth, clock }, slow)) as Driven;
    const { key, info } = await bench.kit.keys.create({ ownerId: 'root', roles: ['admin'], scopes: null });
    const answer = await bench.answer('/admin/models/pull', { body: pull, token: key });
    expect(answer.status).toBe(200);
    await bench.kit.keys.revoke(info.id);
    const lines = (await answer.text()).split('\n').filter((line) => line.trim() !== '');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      code: 'unauthorized',
      status: 401,
      seq: lines.length - 1,
    });
    const token = await bench.token({ sub: 'other', roles: ['admin'] });
    const { jobs } = (await (await bench.answer('/admin/jobs', { token })).json()) as {
      jobs: { state: string }[];
    };
    expect(jobs.map(({ state }) => state)).toEqual(['cancelled']);
  });
});
