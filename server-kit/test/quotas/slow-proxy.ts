import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/** A TCP proxy that can hold back what comes from behind it. */
export interface SlowProxy {
  port: number;
  /** How long every piece from behind is held back, in ms. */
  delayMs: number;
  /** How many pieces went to what is behind, of all connections together. */
  pieces: number;
  close(): Promise<void>;
}

/** Starts one in front of a port of this machine. */
export async function startSlowProxy(target: number): Promise<SlowProxy> {
  const open = new Set<Socket>();
  const server = createServer((front) => {
    const back = connect(target, '127.0.0.1');
    for (const socket of [front, back]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        front.destroy();
        back.destroy();
      });
    }
    front.on('data', (piece) => {
      proxy.pieces++;
      back.write(piece);
    });
    back.on('data', (piece) => {
      if (proxy.delayMs === 0) front.write(piece);
      else setTimeout(() => front.destroyed || front.write(piece), proxy.delayMs).unref();
    });
  });
  const proxy: SlowProxy = {
    port: 0,
    delayMs: 0,
    pieces: 0,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  proxy.port = (server.address() as AddressInfo).port;
  return proxy;
}
