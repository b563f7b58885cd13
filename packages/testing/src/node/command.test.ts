import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { runCommand } from './command.ts';

const cli = fileURLToPath(new URL('../cli.ts', import.meta.url));
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function run(...args: string[]) {
  const child = spawn(process.execPath, ['--conditions=@ziggie/source', '--no-warnings', cli, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const state = { child, out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    state.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    state.err += text;
  });
  return state;
}

async function exitOf({ child }: ReturnType<typeof run>): Promise<number | null> {
  const [code] = await once(child, 'close');
  return code;
}

describe('ziggie-fake-ollama', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'prints its URL, answers, and ends on %s while it answers',
    async (signal) => {
      const command = run('--port', '0', '--models', 'a, b', '--tokens-per-second', '5', '--slots', '2');
      await once(command.child.stdout, 'data');
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(command.out)?.[0] ?? '';
      expect(command.out.trimEnd().split('\n')).toHaveLength(1);
      const { models } = (await (await fetch(`${url}/api/tags`)).json()) as { models: { name: string }[] };
      expect(models.map((model) => model.name)).toEqual(['a:latest', 'b:latest']);
      const body = JSON.stringify({ model: 'a', messages: [{ role: 'user', content: 'hi' }] });
      const answer = await fetch(`${url}/api/chat`, { method: 'POST', body });
      const exit = exitOf(command);
      command.child.kill(signal);
      expect(await exit).toBe(0);
      await expect(answer.text()).rejects.toThrow();
      await expect(fetch(url)).rejects.toThrow();
      expect(command.err).toBe('');
    },
  );

  it('says that the port is taken and exits with 1', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const command = run('--port', String(port));
    expect(await exitOf(command)).toBe(1);
    expect(command.err).toBe(
      `ziggie-fake-ollama: port ${port} at 127.0.0.1 is taken. Is Ollama running there? Choose another with --port.\n`,
    );
    expect(command.out).toBe('');
    other.close();
  });

  it.each([
    [['--port', 'x'], /--port takes a number of at least 0, not "x"/],
    [['--port', '70000'], /--port takes 0 to 65535/],
    [['--slots', '0'], /--slots takes a number of at least 1/],
    [['--slots', '1.5'], /--slots takes a whole number/],
    [['--load-ms', ''], /--load-ms takes a number/],
    [['--models', 'bad name'], /"bad name" is not a model name/],
    [['--unknown'], /--unknown/],
    [['extra'], /extra/],
  ])('refuses %j', async (args, message) => {
    const { exitCode, out, err } = await runHere(...args);
    expect([exitCode, out]).toEqual([1, '']);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/^\s+at /m);
  });

  it('--help lists every flag', async () => {
    const { exitCode, out } = await runHere('--help');
    expect(exitCode).toBe(0);
    for (const flag of ['port', 'host', 'models', 'tokens-per-second', 'load-ms', 'slots', 'help']) {
      expect(out).toContain(`--${flag}`);
    }
  });
});

/** The command without a process of its own. */
async function runHere(...args: string[]) {
  const written = { out: '', err: '' };
  const result = await runCommand(args, {
    out: (text) => {
      written.out += text;
    },
    err: (text) => {
      written.err += text;
    },
  });
  if (result.exitCode === undefined) await result.close();
  return { ...written, exitCode: result.exitCode };
}
