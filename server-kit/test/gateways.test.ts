import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type FakeOllamaServer, say, stall } from '@ziggie/llm-testing';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasRedis, startRedis } from './stores/redis-server.ts';
import { eventsOf, question, textOf } from './stream-harness.ts';
import { SocketClient } from './ws/socket-client.ts';

const secret = 'a secret of the tests, of more than 32 bytes';
const signed = (key = secret) =>
  new SignJWT({ roles: ['user'] })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('ada')
    .setExpirationTime('2h')
    .sign(new TextEncoder().encode(key));

/** An example as a process, and what it has said. */
class Gateway {
  readonly child: ChildProcess;
  output = '';
  readonly exit: Promise<number | null>;

  constructor(name: string, env: Record<string, string>) {
    const main = fileURLToPath(new URL(`../../examples/${name}/src/main.ts`, import.meta.url));
    this.child = spawn(process.execPath, ['--conditions', '@ziggie/source', main], {
      env: { PATH: process.env['PATH'] ?? '', PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk) => {
        this.output += chunk;
      });
    }
    this.exit = once(this.child, 'exit').then(([code]) => code as number | null);
  }

  async said(text: string): Promise<void> {
    await expect.poll(() => this.output).toContain(text);
  }

  async url(): Promise<string> {
    await this.said('"listening"');
    const line = this.output.split('\n').find((one) => one.includes('"listening"')) as string;
    return `http://127.0.0.1:${(JSON.parse(line) as { port: number }).port}/api/llm`;
  }
}

describe.each(['express-gateway', 'fastify-gateway'])('%s as a process', (name) => {
  let ollama: FakeOllamaServer;
  let folder: string;
  const started: Gateway[] = [];
  const start = (env: Record<string, string> = {}) => {
    const gateway = new Gateway(name, {
      UPSTREAMS: ollama.url,
      JWT_SECRET: secret,
      JWT_ISSUER: 'false',
      JWT_AUDIENCE: 'false',
      ...env,
    });
    started.push(gateway);
    return gateway;
  };
  const chat = async (url: string, key?: string) =>
    fetch(`${url}/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await signed(key)}`, 'content-type': 'application/json' },
      body: JSON.stringify(question()),
    });

  beforeAll(async () => {
    ollama = await startFakeOllama({ tokensPerSecond: Number.POSITIVE_INFINITY });
    folder = mkdtempSync(join(tmpdir(), 'ziggie-gateway-'));
  });
  afterAll(async () => {
    for (const { child } of started) child.kill('SIGKILL');
    await ollama.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('answers, keeps its counts in SQLite, and stops without cutting an answer', async () => {
    const gateway = start({ STORE: `sqlite:${join(folder, 'kit.db')}`, DRAIN_MS: '5000' });
    const url = await gateway.url();
    expect(await (await fetch(`${url}/health/live`)).json()).toEqual({ status: 'live' });
    ollama.fake.script([say('Hello from afar')]);
    expect(textOf(await eventsOf(await chat(url)))).toBe('Hello from afar');
    const client = await SocketClient.open(`${url.replace('http', 'ws')}/ws`, ['ziggie.v1'], {
      authorization: `Bearer ${await signed()}`,
    });
    client.send({ id: 'x', type: 'chat', request: question(), credit: 1000 });
    expect((await client.ended('x')).type).toBe('done');
    ollama.fake.script([say('begun '), stall(300), say('and ended')]);
    const running = chat(url);
    await ollama.fake.waitFor(({ openGenerations }) => openGenerations === 1);
    expect((await running).status).toBe(200);
    gateway.child.kill('SIGTERM');
    expect(textOf(await eventsOf(await running))).toBe('begun and ended');
    expect((await client.untilClosed()).code).toBe(4503);
    expect(await gateway.exit).toBe(0);
    expect(gateway.output).not.toContain(secret);
  });

  test('takes a machine that is written into its file while it runs', async () => {
    const list = join(folder, 'upstreams.json');
    const gateway = start({
      UPSTREAMS: '',
      UPSTREAMS_DISCOVERY: `file:${list}?everySeconds=1`,
      UPSTREAMS_DISCOVERY_ALLOW: '127.0.0.1',
    });
    const url = await gateway.url();
    expect((await chat(url)).status).toBe(502);
    await gateway.said('"discovery_stale"');
    writeFileSync(list, JSON.stringify([ollama.url]));
    await expect.poll(async () => (await fetch(`${url}/health/ready`)).status, { timeout: 5000 }).toBe(200);
    expect((await chat(url)).status).toBe(200);
    rmSync(list);
  });

  test.skipIf(!hasRedis)(
    'two of them share limits, keys, revocations, tickets and answers in a real Redis, and both stop with 0',
    async () => {
      const redis = await startRedis();
      const env = {
        REDIS_URL: redis.url,
        REDIS_NODES: '2',
        // The machine may be busy.
        REDIS_DEADLINE_MS: '5000',
        REQUESTS_PER_MINUTE: '5',
        TOKENS_PER_DAY: '100000',
        API_KEY_PEPPER: secret,
        DRAIN_MS: '5000',
        CACHE: 'true',
      };
      const [one, other] = [start(env), start(env)];
      const [here, there] = await Promise.all([one.url(), other.url()]);
      const post = async (url: string, authorization: string, body: unknown) =>
        fetch(url, {
          method: 'POST',
          headers: { authorization, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        });
      const as = async (sub: string, roles = ['user']) =>
        `Bearer ${await new SignJWT({ roles })
          .setProtectedHeader({ alg: 'HS256' })
          .setSubject(sub)
          .setIssuedAt()
          .setExpirationTime('2h')
          .sign(new TextEncoder().encode(secret))}`;
      try {
        const ada = await as('ada');
        await expect
          .poll(
            async () =>
              (await fetch(`${here}/me/limits`, { headers: { authorization: await as('probe') } })).status,
          )
          .toBe(200);
        await expect
          .poll(
            async () =>
              (await fetch(`${there}/me/limits`, { headers: { authorization: await as('probe 2') } })).status,
          )
          .toBe(200);
        // What one has given out the other does not give out again.
        const statuses: number[] = [];
        for (const url of [here, here, here, here, there, there, here]) {
          const answer = await post(`${url}/chat`, ada, question());
          await answer.text();
          statuses.push(answer.status);
        }
        expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429]);
        // A key of one is a key of the other.
        const made = await post(`${here}/admin/keys`, await as('root', ['admin']), {
          ownerId: 'grace',
          roles: ['user'],
        });
        const { key } = (await made.json()) as { key: string };
        expect((await post(`${there}/chat`, `Bearer ${key}`, question())).status).toBe(200);
        // A ticket of one opens one socket of the other, and fifty at once open one.
        const linus = await as('linus');
        const { ticket } = (await (await post(`${here}/ws/ticket`, linus, {})).json()) as { ticket: string };
        const opened = await Promise.allSettled(
          Array.from({ length: 50 }, (_, at) =>
            SocketClient.open(`${(at % 2 ? here : there).replace('http', 'ws')}/ws`, [
              'ziggie.v1',
              `ticket.${ticket}`,
            ]),
          ),
        );
        const sockets = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
        expect(sockets).toHaveLength(1);
        sockets[0]?.socket.terminate();
        // What is ended at one is ended at the other; nobody has shown these there yet.
        const second = await post(`${here}/admin/keys`, await as('root', ['admin']), {
          ownerId: 'grace',
          roles: ['user'],
        });
        const { key: ended, info } = (await second.json()) as { key: string; info: { id: string } };
        const root = await as('root', ['admin']);
        const deleted = await fetch(`${here}/admin/keys/${info.id}`, {
          method: 'DELETE',
          headers: { authorization: root },
        });
        expect(deleted.status).toBe(200);
        expect((await post(`${there}/chat`, `Bearer ${ended}`, question())).status).toBe(401);
        const dennis = await as('dennis');
        expect((await post(`${here}/admin/revocations`, root, { principalId: 'dennis' })).status).toBe(204);
        expect((await post(`${there}/chat`, dennis, question())).status).toBe(401);
        // What one has kept the other gives, once it is in Redis.
        const asked = { ...question('Once.'), options: { seed: 1 } };
        const cacheAt = async (url: string, sub: string) => {
          const answer = await post(`${url}/chat`, await as(sub), asked);
          await answer.text();
          return answer.headers.get('x-ziggie-cache');
        };
        expect(await cacheAt(here, 'rosa')).toBe('miss');
        await expect.poll(async () => cacheAt(there, `reader ${Math.random()}`)).toBe('hit');
        // Both drain.
        ollama.fake.script([say('begun '), stall(200), say('and ended')]);
        const running = await post(`${here}/chat`, await as('marie'), question());
        one.child.kill('SIGTERM');
        other.child.kill('SIGTERM');
        expect(textOf(await eventsOf(running))).toBe('begun and ended');
        expect([await one.exit, await other.exit]).toEqual([0, 0]);
        expect(one.output + other.output).not.toContain(key);
        expect(one.output + other.output).not.toContain(ticket);
      } finally {
        await redis.stop();
      }
    },
    30_000,
  );

  test('reads its secret from a file, again on SIGHUP, and keeps the old one when the new is wrong', async () => {
    const file = join(folder, 'secret');
    writeFileSync(file, `${secret}\n`);
    const gateway = start({ JWT_SECRET: '', JWT_SECRET_FILE: file });
    const url = await gateway.url();
    expect((await chat(url)).status).toBe(200);
    const other = 'another secret of the tests, just as long';
    writeFileSync(file, other);
    gateway.child.kill('SIGHUP');
    await gateway.said('configuration read again');
    expect((await chat(url)).status).toBe(401);
    expect((await chat(url, other)).status).toBe(200);
    writeFileSync(file, 'short');
    gateway.child.kill('SIGHUP');
    await gateway.said('the old one stays');
    expect((await chat(url, other)).status).toBe(200);
  });

  test('says what is wrong with its environment and does not start', async () => {
    const gateway = start({ PORT: 'http', REQUESTS_PER_MINUTE: '0' });
    expect(await gateway.exit).toBe(78);
    expect(gateway.output).toMatch(/PORT must be .*\n.*REQUESTS_PER_MINUTE must be/);
  });
});
