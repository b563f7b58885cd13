import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Access } from './access.ts';
import { freePort } from './free-port.ts';
import { kits, servers, slotsPerModel, tokensPerSecond } from './plan.ts';
import { Program } from './program.ts';

/** Where the kit is in both gateways. */
export const mount = '/api/llm';

/** Every process of the fleet, not yet started. */
export interface Programs {
  redis: Program | undefined;
  gpus: readonly Program[];
  kits: readonly { program: Program; url: string }[];
}

const sources = '--conditions=@ziggie/source';
const standIn = fileURLToPath(new URL('../../../packages/testing/src/cli.ts', import.meta.url));

/** Makes them, each with a port of its own that it keeps over its deaths. */
export async function makePrograms(access: Access): Promise<Programs> {
  const redis = hasRedis() ? await redisProgram(access.redisPassword) : undefined;
  const gpus = await Promise.all(servers.map(gpuProgram));
  const upstreams = gpus.map(
    ({ program, url }) => `${url}?name=${program.name}&slots=${slotsPerModel / kits.length}`,
  );
  const env = {
    ...access.kitEnvironment,
    HOST: '127.0.0.1',
    UPSTREAMS: upstreams.join(','),
    // The page looks twice a second, and everybody sits at one address here.
    REQUESTS_PER_MINUTE: '1000',
    REQUESTS_PER_MINUTE_PER_ADDRESS: 'Infinity',
    DRAIN_MS: '1000',
    ...(redis ? { REDIS_URL: redis.url, REDIS_NODES: String(kits.length) } : { STORE: 'memory' }),
  };
  return {
    redis: redis?.program,
    gpus: gpus.map(({ program }) => program),
    kits: await Promise.all(kits.map((kit) => kitProgram(kit.name, kit.program, env))),
  };
}

async function gpuProgram({ name, models, loadMs }: (typeof servers)[number]) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const flags = {
    port,
    models: models.join(','),
    'load-ms': loadMs,
    slots: slotsPerModel,
    'tokens-per-second': tokensPerSecond,
  };
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  return {
    url,
    program: new Program({
      name,
      command: process.execPath,
      args: [sources, standIn, ...args],
      isReady: () => answers(url),
    }),
  };
}

async function kitProgram(name: string, path: string, env: Readonly<Record<string, string>>) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}${mount}`;
  return {
    url,
    program: new Program({
      name,
      command: process.execPath,
      args: [sources, fileURLToPath(new URL(path, import.meta.url))],
      env: { ...env, PORT: String(port) },
      isReady: () => answers(`${url}/health/live`),
    }),
  };
}

async function redisProgram(password: string) {
  const port = await freePort();
  return {
    url: `redis://:${password}@127.0.0.1:${port}`,
    program: new Program({
      name: 'redis',
      command: 'redis-server',
      args: ['-'],
      // Nothing is written to the disk; the password stands in no list of processes.
      input: `bind 127.0.0.1\nport ${port}\nsave ""\nappendonly no\nrequirepass ${password}\n`,
      isReady: () => accepts(port),
    }),
  };
}

function hasRedis(): boolean {
  return spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1000) })).ok;
  } catch {
    return false;
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
