import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import Fastify from 'fastify';
import { ziggieExpress } from '../../src/express.ts';
import { ziggieFastify } from '../../src/fastify.ts';
import { createServerKit, type ServerKit, type ServerKitOptions } from '../../src/index.ts';

/** A host that the kit is mounted in. */
export type Door = 'Express' | 'Fastify';
export const doors: readonly Door[] = ['Express', 'Fastify'];

/** A kit behind a door on a real socket. */
export interface Gateway {
  kit: ServerKit;
  /** Where the kit is mounted. */
  url: string;
  /** Open connections of callers. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

/** Starts one. Everything is over, with every connection, once `close` has resolved. */
export async function startGateway(door: Door, options: ServerKitOptions): Promise<Gateway> {
  const kit = createServerKit({ doctor: false, ...options });
  const { server, end } = door === 'Express' ? await onExpress(kit) : await onFastify(kit);
  const { port } = server.address() as AddressInfo;
  return {
    kit,
    url: `http://127.0.0.1:${port}/llm`,
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    close: async () => {
      await kit.close({ drainMs: 0 });
      await end();
    },
  };
}

async function onExpress(kit: ServerKit): Promise<{ server: Server; end: () => Promise<void> }> {
  const server = createServer(express().use('/llm', ziggieExpress(kit))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    server,
    end: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function onFastify(kit: ServerKit): Promise<{ server: Server; end: () => Promise<void> }> {
  const app = Fastify({ forceCloseConnections: true });
  await app.register(ziggieFastify, { kit, prefix: '/llm' });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { server: app.server, end: () => app.close().then(() => {}) };
}
