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
