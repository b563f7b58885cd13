import { say } from '@ziggie/llm-testing';
import { SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { type LimitAnswer, type LimitAsk, type LimitStore, MemoryLimitStore } from '../../src/index.ts';
import { DrivenClock, hello, SetClock, secret, startBench } from '../harness.ts';
import { token } from '../stream-harness.ts';
import { chatFrame, startSockets } from '../ws/socket-bench.ts';
import { SocketClient } from '../ws/socket-client.ts';

const roles = { user: { permissions: ['chat', 'me:read'], models: ['stand-in'] } } as const;

/** What reached the model server of a body as text: its parsed body, or the refusal's status. */
async function outcomeOf(body: string | Uint8Array, path = '/chat') {
  const bench = await startBench({ roles });
  const response = await bench.answer(path, { body });
  const text = await response.text();
  const posts = bench.ollama.fake.report().requests.filter(({ method }) => method === 'POST');
  // The load of a model has no prompt and says nothing of the request. What is refused loads nothing either.
  const isLoad = (body: unknown) => Object.keys(body as object).join() === 'model,stream';
  const sent = response.status === 200 ? posts.filter(({ body }) => !isLoad(body)) : posts;
  const polluted = ({} as Record<string, unknown>)['polluted'];
  expect(polluted).toBeUndefined();
  expect(response.status).toBeLessThan(500);
  return { status: response.status, text, sent, logs: JSON.stringify(bench.logs) };
}

const withModel = (model: string) =>
  `{"model":${model},"messages":[{"role":"user","content":"hi"}],"stream":false}`;

describe('two members of one name', () => {
  test.each([
    ['the last is forbidden', '"stand-in","model":"stand-in-vision"', 404],
    ['the first is forbidden', '"stand-in-vision","model":"stand-in"', 200],
    ['one is written in escapes', '"stand-in","mod\\u0065l":"stand-in-vision"', 404],
    ['one has another case', '"stand-in","Model":"stand-in-vision"', 400],
    ['one has a blank', '"stand-in","model ":"stand-in-vision"', 400],
  ])('%s: what is checked is what is sent', async (_name, models, status) => {
    const outcome = await outcomeOf(withModel(models));
    expect(outcome.status).toBe(status);
    for (const { body } of outcome.sent) expect(body).toMatchObject({ model: 'stand-in:latest' });
    expect(outcome.sent).toHaveLength(status === 200 ? 1 : 0);
    expect(JSON.stringify(outcome.sent)).not.toContain('vision');
  });
});

describe('names of models', () => {
  const allowed = ['stand-in', 'STAND-IN', 'stand-in:latest', 'Stand-In:LATEST'];
  test.each(allowed)('%j is the allowed one', async (name) => {
    const { status, sent } = await outcomeOf(withModel(JSON.stringify(name)));
    expect(status).toBe(200);
    expect(sent[0]?.body).toMatchObject({ model: 'stand-in:latest' });
  });

  test.each([
    'st\u0430nd-in',
    '\uff53tand-in',
    'stand\u2010in',
    'stand-\u0131n',
    'stand-in\u200b',
    'stand-in\0',
    'stand-in\0:latest',
    'stand-in:latest:latest',
    'stand-in:',
    ':latest',
    'library/stand-in',
    'registry.ollama.ai/library/stand-in',
    'http://evil.example/stand-in',
    'evil.example/stand-in:latest',
    '../stand-in',
    'stand-in/../stand-in-vision',
    'stand-in@sha256:0000',
    'stand-in:cloud',
    'stand-in-vision',
    'STAND-IN-VISION:latest',
    '*',
    'stand-in*',
    'constructor',
    '__proto__',
    'stand-in,stand-in-vision',
    '\u202enidnats',
  ])('%j is another, and looks like one that is not there', async (name) => {
    const { status, sent, text } = await outcomeOf(withModel(JSON.stringify(name)));
    expect(status).toBe(404);
    expect(sent).toEqual([]);
    expect(text).toContain('model_not_found');
  });

  test.each([
    '1',
    'null',
    '[]',
    '["stand-in"]',
    '{"name":"stand-in"}',
    'true',
    '""',
    JSON.stringify('x'.repeat(300)),
  ])('%s is no name', async (name) =>
    expect(await outcomeOf(withModel(name))).toMatchObject({ status: 400, sent: [] }),
  );
});

describe('members that mean something to a parser', () => {
  const at = (inside: string, options = '{}') =>
    `{"model":"stand-in","messages":[{"role":"user","content":"hi"}],"stream":false,"options":${options}${inside}}`;
  test.each([
    ['constructor in options', at('', '{"constructor":{"prototype":{"polluted":1}}}')],
    ['toString in options', at('', '{"toString":1}')],
    ['a number beyond numbers', at('', '{"temperature":1e400}')],
    ['a seed that is not whole', at('', '{"seed":1.5}')],
    ['a seed beyond whole numbers', at('', '{"seed":9007199254740993}')],
    ['num_predict as text', at('', '{"num_predict":"5"}')],
    ['max_tokens of 2^63', at(',"max_tokens":9223372036854775808')],
    ['max_tokens below one', at(',"max_tokens":-1')],
    ['max_tokens of a half', at(',"max_tokens":0.5')],
    ['stream as text', at('').replace('"stream":false', '"stream":"false"')],
    ['options as a list', at('', '[]')],
    ['a role with a blank', at('').replace('"user"', '"user "')],
    ['a role of nobody', at('').replace('"user"', '"developer"')],
    ['content as a list', at('').replace('"hi"', '[{"type":"text","text":"hi"}]')],
    ['an image by its address', at('').replace('"hi"', '"hi","images":["http://169.254.169.254/"]')],
    ['an image as a file', at('').replace('"hi"', '"hi","images":["file:///etc/passwd"]')],
    ['context_id', at(',"context_id":"x"')],
    ['base_url', at(',"base_url":"http://evil.example"')],
    ['headers', at(',"headers":{"host":"evil.example"}')],
  ])('%s: 400, and nothing is sent', async (_name, body) => {
    expect(await outcomeOf(body)).toMatchObject({ status: 400, sent: [] });
  });

  test.each([
    ['__proto__ beside the others', at(',"__proto__":{"polluted":1}')],
    ['__proto__ in options', at('', '{"__proto__":{"polluted":1,"num_predict":9}}')],
    ['__proto__ in a message', at('').replace('"role"', '"__proto__":{"polluted":1},"role"')],
  ])('%s is left out, and makes nothing of any object', async (_name, body) => {
    const { status, sent } = await outcomeOf(body);
    expect(status).toBe(200);
    expect(sent[0]?.body).toEqual({
      model: 'stand-in:latest',
      messages: [{ role: 'user', content: 'hi' }],
      options: { num_predict: 4096 },
      stream: true,
    });
  });

  test('half a pair of surrogates goes on as text that is', async () => {
    const { status, sent } = await outcomeOf(at('').replace('"hi"', '"a\\ud800b"'));
    expect([200, 400]).toContain(status);
    expect(JSON.stringify(sent)).not.toMatch(/\ud800/);
  });

  test('what is not a number of tokens never becomes none', async () => {
    for (const options of [
      '{"num_predict":-1}',
      '{"num_predict":-2}',
      '{"num_predict":0}',
      '{"num_predict":null}',
    ]) {
      const { sent } = await outcomeOf(at('', options));
      for (const { body } of sent) expect(body).toMatchObject({ options: { num_predict: 4096 } });
    }
  });
});

describe('keys and tokens in another writing', () => {
  const pepper = 'a pepper of the tests, of more than 32 bytes';
  test('only the key itself is the key', async () => {
    const bench = await startBench({ auth: { keys: { pepper } } });
    const { key } = await bench.kit.keys.create({ ownerId: 'ada', roles: ['user'] });
    const parts = key.split('_');
    const changed = [
      key.toUpperCase(),
      key.toLowerCase(),
      key.replace('zk_', 'ZK_'),
      key.replace('_', '-'),
      encodeURIComponent(`${key} `),
      `${key}=`,
      `${key}\u200b`.replace('\u200b', '%E2%80%8B'),
      key.slice(0, -1),
      `${key}0`,
      [parts[0], 'test', ...parts.slice(2)].join('_'),
      [...parts, parts[4]].join('_'),
      parts.slice(0, 4).join('_'),
      key + key,
    ].filter((one) => one !== key);
    for (const one of changed) expect((await bench.answer('/me', { token: one })).status, one).toBe(401);
    expect((await bench.answer('/me', { token: key })).status).toBe(200);
  });

  test('headers and claims that are read twice say one thing or nothing', async () => {
    const bench = await startBench({ limits: { failedSignInsPerMinute: 1000 } });
    const good = await bench.token();
    const [, payload = '', signature = ''] = good.split('.');
    const b64 = (text: string) => Buffer.from(text).toString('base64url');
    const headers = [
      '{"alg":"none","alg":"HS256"}',
      '{"alg":"HS256","alg":"none"}',
      '{"alg":"\\u0048S256"}',
      '\ufeff{"alg":"HS256"}',
      '{"alg":["HS256"]}',
      '{"alg":"HS256","crit":["b64"],"b64":false}',
      '{"alg":"HS256","enc":"A256GCM"}',
      '{"alg":"HS256","zip":"DEF"}',
      '{"alg":"dir","enc":"A256GCM"}',
    ];
    const tokens = [
      ...headers.map((header) => `${b64(header)}.${payload}.${signature}`),
      `${good}.x`,
      `${good}=`,
      good.replace('.', '..'),
      `${good.split('.')[0]}.${payload}.`,
      JSON.stringify({ payload, signatures: [{ protected: good.split('.')[0], signature }] }),
      good.replaceAll('-', '+').replaceAll('_', '/'),
    ].filter((one) => one !== good);
    for (const token of tokens) {
      const { status } = await bench.answer('/me', { token });
      expect(status, token.slice(0, 60)).toBe(401);
    }
    const signing = new TextEncoder().encode(secret);
    for (const claims of [
      { sub: ['ada'] },
      { sub: { id: 'ada' } },
      { sub: '' },
      { sub: 'a\nb' },
      { exp: '9' },
    ]) {
      const payloadOf = { sub: 'ada', iss: 'https://app.example', aud: 'ziggie-tests', exp: 9e9, ...claims };
      const token = await new SignJWT(payloadOf as never).setProtectedHeader({ alg: 'HS256' }).sign(signing);
      expect((await bench.answer('/me', { token })).status, JSON.stringify(claims)).toBe(401);
    }
  });
});

describe('races', () => {
  test('of fifty upgrades with one ticket at once one gets in', async () => {
    const bench = await startSockets();
    const response = await bench.post('/ws/ticket', { authorization: `Bearer ${await token()}` });
    const { ticket } = (await response.json()) as { ticket: string };
    const opened = await Promise.allSettled(
      Array.from({ length: 50 }, () => SocketClient.open(bench.url, ['ziggie.v1', `ticket.${ticket}`])),
    );
    expect(opened.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(bench.kit.gauges().sockets).toBe(1);
  });

  test('over sockets and HTTP at once a quota gives out what there is and no more', async () => {
    const bench = await startSockets({
      limits: {
        requestsPerMinute: Number.POSITIVE_INFINITY,
        requestsPerMinutePerAddress: Number.POSITIVE_INFINITY,
        maxInFlight: 100,
        rules: [{ name: 'tokens', per: 'user', unit: 'outputTokens', window: 'day', limit: 300 }],
      },
    });
    bench.ollama.fake.script([say('a '.repeat(100))], { times: 40 });
    const client = await bench.open();
    const more = { max_tokens: 100 };
    for (let at = 0; at < 20; at++) client.send(chatFrame(`s${at}`, 1000, 'Hello', more));
    const http = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const answer = await bench.ask('/chat', { ...hello, ...more });
        return (await answer.text()).split('"text-delta"').length - 1;
      }),
    );
    const ends = await Promise.all(Array.from({ length: 20 }, (_, at) => client.ended(`s${at}`)));
    const overSocket = Array.from(
      { length: 20 },
      (_, at) => client.of(`s${at}`).filter(({ type }) => type === 'text-delta').length,
    );
    const written = [...http, ...overSocket].reduce((sum, one) => sum + one, 0);
    expect(written).toBeGreaterThan(0);
    expect(written).toBeLessThanOrEqual(300);
    const refusals = ends.filter((end) => end.type === 'error');
    expect(refusals.length + http.filter((one) => one === 0).length).toBeGreaterThanOrEqual(37);
    for (const one of refusals) expect(one).toMatchObject({ code: 'quota_exceeded', status: 429 });
  });

  /** A store that answers when it is told to. */
  class HeldStore implements LimitStore {
    readonly #store: MemoryLimitStore;
    held = false;
    release = () => {};
    reached = 0;
    constructor(clock: SetClock) {
      this.#store = new MemoryLimitStore(clock);
    }
    async take(ask: LimitAsk): Promise<LimitAnswer> {
      this.reached++;
      if (this.held && ask.holdId !== undefined) {
        await new Promise<void>((resolve) => {
          this.release = resolve;
        });
      }
      return this.#store.take(ask);
    }
    look = async (...asked: Parameters<LimitStore['look']>) => this.#store.look(...asked);
    settle = async (...asked: Parameters<LimitStore['settle']>) => this.#store.settle(...asked);
    renew = async (...asked: Parameters<LimitStore['renew']>) => this.#store.renew(...asked);
  }

  test.each(['before the store has answered', 'after'])(
    'who leaves while a reservation is made, %s, leaves none',
    async (when) => {
      const clock = new SetClock();
      const limits = new HeldStore(clock);
      const bench = await startBench({
        clock,
        stores: { limits },
        limits: {
          maxInFlight: 1,
          rules: [{ name: 'tokens', per: 'user', unit: 'outputTokens', window: 'day', limit: 5000 }],
        },
      });
      const left = async () => {
        const response = await bench.answer('/me/limits');
        const list = ((await response.json()) as { limits: { name: string; left: number }[] }).limits;
        return list.find(({ name }) => name === 'tokens')?.left;
      };
      const leaving = new AbortController();
      limits.held = true;
      const { reached } = limits;
      const asked = bench.chat({ max_tokens: 4000 }, { signal: leaving.signal });
      await expect.poll(() => limits.reached).toBeGreaterThan(reached + 2);
      if (when !== 'after') leaving.abort();
      limits.held = false;
      limits.release();
      if (when === 'after') {
        await new Promise(setImmediate);
        leaving.abort();
      }
      await (await asked).text().catch(() => {});
      await expect.poll(() => bench.kit.gauges().activeRequests).toBe(0);
      // Reading the question may have cost something where the model server had begun; nothing stays reserved.
      await expect.poll(left).toBeGreaterThanOrEqual(4990);
      const next = await bench.chat({ max_tokens: 4000, stream: false });
      expect(next.status).toBe(200);
      await next.text();
    },
  );

  test('ten new secrets for one key at once leave two that work at most, and none of them twice', async () => {
    const pepper = 'a pepper of the tests, of more than 32 bytes';
    const clock = new DrivenClock();
    const bench = await startBench({ auth: { keys: { pepper } }, clock });
    const { info } = await bench.kit.keys.create({ ownerId: 'ada', roles: ['user'] });
    const rerolled = await Promise.all(Array.from({ length: 10 }, () => bench.kit.keys.reroll(info.id)));
    const keys = rerolled.flatMap((one) => (one ? [one.key] : []));
    expect(new Set(keys).size).toBe(keys.length);
    const statuses: number[] = [];
    for (const key of keys) statuses.push((await bench.answer('/me', { token: key })).status);
    const good = statuses.filter((status) => status === 200).length;
    expect(good).toBeGreaterThanOrEqual(1);
    expect(good).toBeLessThanOrEqual(2);
    await bench.kit.keys.revoke(info.id);
    for (const key of keys) expect((await bench.answer('/me', { token: key })).status).not.toBe(200);
  });
});
