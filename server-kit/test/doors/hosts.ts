import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
// @ts-expect-error Express 4 under another name has no types of its own; it is used as Express 5's.
import express4Untyped from 'express4';
import Fastify, { type FastifyInstance } from 'fastify';
import { ziggieExpress } from '../../src/express.ts';
import { ziggieFastify } from '../../src/fastify.ts';
import type { ServerKit } from '../../src/kit-types.ts';
import { type DoorOptions, ziggieNode } from '../../src/node.ts';

const express4 = express4Untyped as typeof express;

/** A host app with the kit mounted in it, listening. */
export interface RunningHost {
  port: number;
  server: Server;
  close(): Promise<void>;
}

/** One way of mounting the kit. Each host also has routes of its own, and a 404 of its own with the text `host 404`. */
export interface Host {
  name: string;
  /** The path in front of the kit's. */
  prefix: string;
  /** Whether a body parser of the host stands in front of the kit. */
  parsesFirst: boolean;
  start(kit: ServerKit, options?: DoorOptions): Promise<RunningHost>;
}

export async function listen(server: Server): Promise<RunningHost> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    server,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The routes of a host without a framework. */
function hostRoutes(req: IncomingMessage, res: ServerResponse): void {
  if (req.url === '/host') {
    res.end('from the host');
    return;
  }
  if (req.url === '/host/json') {
    let text = '';
    req.setEncoding('utf8');
    req.on('data', (chunk: string) => {
      text += chunk;
    });
    req.on('end', () => res.end(JSON.stringify({ host: JSON.parse(text) })));
    return;
  }
  res.statusCode = 404;
  res.end('host 404');
}

function nodeHost(name: string, prefix: string): Host {
  return {
    name,
    prefix,
    parsesFirst: false,
    start(kit, options = {}) {
      const door = ziggieNode(kit, { ...options, prefix });
      return listen(createServer((req, res) => door(req, res, () => hostRoutes(req, res))));
    },
  };
}

function expressHost(
  name: string,
  prefix: string,
  mount: (app: express.Express, door: ReturnType<typeof ziggieExpress>) => void,
  parsesFirst = false,
  make = express,
): Host {
  return {
    name,
    prefix,
    parsesFirst,
    start(kit, options) {
      const app = make();
      // The test's own errors belong to the answer, not to the console.
      app.set('env', 'test');
      if (parsesFirst) app.use(express.json());
      mount(app, ziggieExpress(kit, options));
      app.get('/host', (_req, res) => {
        res.send('from the host');
      });
      app.post('/host/json', express.json(), (req, res) => {
        res.json({ host: req.body });
      });
      app.use((_req, res) => {
        res.status(404).send('host 404');
      });
      return listen(createServer(app));
    },
  };
}

function fastifyHost(name: string, prefix: string): Host {
  return {
    name,
    prefix,
    parsesFirst: false,
    async start(kit, options = {}) {
      const app: FastifyInstance = Fastify({ forceCloseConnections: true });
      app.setNotFoundHandler((_request, reply) => reply.code(404).send('host 404'));
      app.register(ziggieFastify, { ...options, kit, ...(prefix === '' ? {} : { prefix }) });
      app.get('/host', () => 'from the host');
      app.post('/host/json', (request) => ({ host: request.body }));
      await app.listen({ port: 0, host: '127.0.0.1' });
      return {
        server: app.server,
        port: (app.server.address() as AddressInfo).port,
        close: () => app.close(),
      };
    },
  };
}

export const hosts: readonly Host[] = [
  nodeHost('node:http', ''),
  nodeHost('node:http with a prefix', '/api/llm'),
  expressHost('Express 5', '/api/llm', (app, door) => app.use('/api/llm', door)),
  expressHost('Express 5 behind express.json()', '/api/llm', (app, door) => app.use('/api/llm', door), true),
  expressHost('Express 4', '/api/llm', (app, door) => app.use('/api/llm', door), false, express4),
  expressHost('Express 5 in a nested router', '/v2/api/llm', (app, door) => {
    const inner = express.Router();
    inner.use('/llm', door);
    const outer = express.Router();
    outer.use('/api', inner);
    app.use('/v2', outer);
  }),
  fastifyHost('Fastify 5 with a prefix', '/api/llm'),
  fastifyHost('Fastify 5', ''),
];
