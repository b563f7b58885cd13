import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startFakeOllama } from '@ziggie/llm-testing/node';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { builtPage } from './build-page.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));
const repository = fileURLToPath(new URL('../../..', import.meta.url));
const page = fileURLToPath(new URL('../dist-web/', import.meta.url));
const running: ChildProcess[] = [];

beforeAll(() => {
  if (!existsSync(page)) cpSync(builtPage, page, { recursive: true });
});

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

interface Started {
  child: ChildProcess;
  output(): string;
  port: Promise<number>;
  exit: Promise<number | null>;
}

const server = ['--conditions=@ziggie/source', 'src/server.ts'];

function start(env: Record<string, string>, command = server, cwd = folder): Started {
  const child = spawn(process.execPath, command, {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', ...env },
  });
  running.push(child);
  let output = '';
  let found: (port: number) => void = () => {};
  const port = new Promise<number>((resolve) => {
    found = resolve;
  });
  const take = (chunk: Buffer) => {
    output += chunk.toString();
    const match = /http:\/\/[^:]+:(\d+)\//.exec(output.slice(output.indexOf('➜')));
    if (output.includes('➜') && match) found(Number(match[1]));
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  return { child, output: () => output, port, exit };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

describe('the demo command', () => {
  it('prints one URL, serves the page, and Ctrl-C leaves no process and no port', async () => {
    const standIn = await startFakeOllama();
    try {
      const demo = start({ OLLAMA_HOST: `127.0.0.1:${standIn.port}` });
      const port = await demo.port;
      expect(demo.output().match(/http:\/\/localhost:\d+\//g)).toHaveLength(1);
      expect(demo.output()).toContain(`Answers come from Ollama at ${standIn.url}`);
      const response = await fetch(`http://127.0.0.1:${port}/`);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-security-policy')).toContain("require-trusted-types-for 'script'");
      demo.child.kill('SIGINT');
      expect(await demo.exit).toBe(0);
      expect(await listens(port)).toBe(false);
    } finally {
      await standIn.close();
    }
  });

  it('answers from the stand-in when there is no Ollama, and takes it along when it ends', async (context) => {
    context.skip(await listens(11434), 'something answers at 127.0.0.1:11434');
    const demo = start({});
    const url = `http://127.0.0.1:${await demo.port}`;
    expect(demo.output()).toContain('Answers come from the built-in stand-in.');
    const source = (await (await fetch(`${url}/demo/source`)).json()) as { kind: string; address: string };
    expect(source).toMatchObject({ kind: 'stand-in', state: 'ok' });
    const standInPort = Number(new URL(source.address).port);
    expect(await listens(standInPort)).toBe(true);
    // In the middle of an answer, which is when people press Ctrl-C.
    const { token } = (await (await fetch(`${url}/demo/token`, { method: 'POST' })).json()) as {
      token: string;
    };
    const answer = await fetch(`${url}/api/llm/chat`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'stand-in', messages: [{ role: 'user', content: 'Hi' }] }),
    });
    expect(answer.status).toBe(200);
    demo.child.kill('SIGINT');
    expect(await demo.exit).toBe(0);
    await answer.text().catch(() => {});
    expect(await listens(standInPort)).toBe(false);
  });

  it('says that OLLAMA_HOST is dead instead of changing to something else', async () => {
    const demo = start({ OLLAMA_HOST: 'http://127.0.0.1:9' });
    const port = await demo.port;
    expect(demo.output()).toContain('OLLAMA_HOST is http://127.0.0.1:9, but no Ollama answers there');
    const source = await (await fetch(`http://127.0.0.1:${port}/demo/source`)).json();
    expect(source).toEqual({ kind: 'ollama', state: 'unreachable', address: 'http://127.0.0.1:9' });
  });

  it('says that no model is pulled', async () => {
    const empty = await startFakeOllama({ models: [] });
    try {
      const demo = start({ OLLAMA_HOST: empty.url });
      await demo.port;
      expect(demo.output()).toContain('ollama pull llama3.2');
    } finally {
      await empty.close();
    }
  });

  it('names another port when its own is taken', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as { port: number };
    const demo = start({ PORT: String(port), OLLAMA_HOST: '127.0.0.1:9' });
    expect(await demo.exit).toBe(1);
    expect(demo.output()).toContain(`Port ${port} is taken. Choose another: PORT=${port + 1} npm run demo`);
    blocker.close();
  });

  it('says so before it installs or builds anything', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as { port: number };
    const demo = start({ PORT: String(port) }, ['.ci/demo.mjs'], repository);
    expect(await demo.exit).toBe(1);
    expect(demo.output().trim()).toBe(
      `✗ Port ${port} is taken. Choose another: PORT=${port + 1} npm run demo`,
    );
    blocker.close();
  });

  it.each(['nonsense', '-1', '70000', '3000.5'])('refuses PORT=%s', async (port) => {
    const demo = start({ PORT: port, OLLAMA_HOST: '127.0.0.1:9' });
    expect(await demo.exit).toBe(1);
    expect(demo.output()).toContain(`PORT is "${port}", which is no port.`);
  });

  it('gives tokens to this machine and this page only, and none in production', async () => {
    const demo = start({ OLLAMA_HOST: '127.0.0.1:9' });
    const url = `http://127.0.0.1:${await demo.port}/demo/token`;
    expect((await fetch(url, { method: 'POST' })).status).toBe(200);
    expect((await fetch(url, { method: 'POST', headers: { origin: 'http://evil.example' } })).status).toBe(
      403,
    );
    expect((await fetch(url)).status).toBe(404);
    const production = start({ OLLAMA_HOST: '127.0.0.1:9', NODE_ENV: 'production' });
    const there = `http://127.0.0.1:${await production.port}/demo/token`;
    expect((await fetch(there, { method: 'POST' })).status).toBe(404);
  });
});
