import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import express from 'express';
// @ts-expect-error Express 4 under another name has no types of its own; it is used as Express 5's.
import express4Untyped from 'express4';
import Fastify from 'fastify';
import { ziggieExpress, ziggieSockets } from '../../src/express.ts';
import { ziggieFastify } from '../../src/fastify.ts';
import { createServerKit, type ServerKit, type ServerKitOptions } from '../../src/index.ts';
import { ziggieNode } from '../../src/node.ts';
import { listen } from '../doors/hosts.ts';
import { token } from '../stream-harness.ts';

/** What the recorder in the place of the model server got. */
export interface Recorded {
  method: string;
  path: string;
  rawHeaders: string[];
  body: string;
}

export interface AttackBench {
  port: number;
  /** Requests that a caller caused; the kit's own look-ups are not among them. */
  recorded: Recorded[];
  log: Record<string, unknown>[];
  /** `Bearer …` of a user who may use llama3.2 only. */
  authorization: string;
  kit: ServerKit;
  /**
   * Writes bytes on a connection of its own, and reads to its end, or until nothing comes for so long. Default 2 s. The
   * first byte may take `firstMs`, by default as long.
   */
  send(bytes: string | Buffer, quietMs?: number, firstMs?: number): Promise<string>;
  close(): Promise<void>;
}

const models = ['llama3.2:latest', 'secret-model:latest'].map((name) => ({
  name,
  model: name,
  details: { family: 'llama' },
}));
const lookUps: ReadonlySet<string> = new Set(['/api/tags', '/api/ps', '/api/version']);

async function startRecorder(recorded: Recorded[]): Promise<{ url: string; close: () => Promise<void> }> {
  const server = createServer((req, res) => {
    let body = '';
    req.setEncoding('utf8');
    req.on('data', (chunk: string) => {
      body += chunk;
    });
    req.on('end', () => {
      const path = req.url ?? '';
      res.setHeader('content-type', 'application/json');
      if (req.method === 'GET' && lookUps.has(path)) {
        res.end(JSON.stringify({ models, version: '0.33.0' }));
        return;
      }
      recorded.push({ method: req.method ?? '', path, rawHeaders: req.rawHeaders, body });
      res.end(
        `${JSON.stringify({ model: 'llama3.2:latest', message: { role: 'assistant', content: 'ok' }, response: 'ok', done: true, done_reason: 'stop', prompt_eval_count: 1, eval_count: 1 })}\n`,
      );
    });
  });
  const running = await listen(server);
  return { url: `http://127.0.0.1:${running.port}`, close: running.close };
}

type Start = (kit: ServerKit) => Promise<{ port: number; close: () => Promise<void> }>;

const onServer = (server: Server, kit: ServerKit) => {
  ziggieSockets(server, kit, { prefix: '/llm' });
  return listen(server);
};
const onExpress =
  (make: typeof express): Start =>
  (kit) => {
    const app = make();
    app.set('env', 'test');
    app.use('/llm', ziggieExpress(kit));
    return onServer(createServer(app), kit);
  };

/** The hosts that every case is tried on. */
export const attackedHosts: [string, Start][] = [
  ['node:http', (kit) => onServer(createServer(ziggieNode(kit, { prefix: '/llm' })), kit)],
  ['Express 5', onExpress(express)],
  ['Express 4', onExpress(express4Untyped as typeof express)],
  [
    'Fastify 5',
    async (kit) => {
      const app = Fastify({ forceCloseConnections: true });
      app.register(ziggieFastify, { kit, prefix: '/llm' });
      await app.listen({ port: 0, host: '127.0.0.1' });
      return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
    },
  ],
];

export async function startAttackBench(
  start: Start,
  options: Partial<ServerKitOptions> = {},
): Promise<AttackBench> {
  const recorded: Recorded[] = [];
  const log: Record<string, unknown>[] = [];
  const recorder = await startRecorder(recorded);
  const keep = (fields: Record<string, unknown>) => void log.push(fields);
  const unlimited = Number.POSITIVE_INFINITY;
  const kit = createServerKit({
    upstreams: [{ url: recorder.url, slots: 64 }],
    auth: { jwt: { secret: 'a secret of the tests, of more than 32 bytes', issuer: false, audience: false } },
    roles: {
      user: { permissions: ['chat', 'models:read', 'me:read'], models: ['llama3.2', 'llama3.2:latest'] },
    },
    limits: {
      requestsPerMinute: unlimited,
      requestsPerMinutePerAddress: unlimited,
      maxInFlight: unlimited,
      failedSignInsPerMinute: 1_000_000,
    },
    cors: { origins: ['https://app.example.com'] },
    logger: { info: keep, warn: keep, error: keep },
    ...options,
  });
  const running = await start(kit);
  return {
    port: running.port,
    recorded,
    log,
    kit,
    authorization: `Bearer ${await token()}`,
    send: (bytes, quietMs = 2000, firstMs = quietMs) => exchange(running.port, bytes, quietMs, firstMs),
    close: async () => {
      await kit.close({ drainMs: 0 });
      await running.close();
      await recorder.close();
    },
  };
}

function exchange(port: number, bytes: string | Buffer, quietMs: number, firstMs: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const received: Buffer[] = [];
    let timer: NodeJS.Timeout;
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(Buffer.concat(received).toString('latin1'));
    };
    const wait = (ms: number) => {
      clearTimeout(timer);
      timer = setTimeout(done, ms);
    };
    wait(firstMs);
    // Not ended: Node takes a half-closed connection for one that its client has left.
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      received.push(chunk);
      wait(quietMs);
    });
    socket.on('end', done).on('error', done).on('close', done);
  });
}

/** The status of the first answer; 0 when the connection was closed without one. */
export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(answer)?.[1] ?? 0);
}

/** Does work for every case, some at a time. */
export async function eachOf<T>(cases: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < cases.length; at = next++) await work(cases[at] as T);
  };
  await Promise.all(Array.from({ length: 48 }, worker));
}
