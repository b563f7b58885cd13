import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { innerDoorOf } from '../create-fake.ts';
import type { Fake, FakeServer } from '../types.ts';
import { isAllowedHost, isLoopback } from './host-guard.ts';
import { serve } from './serve.ts';

/** Where a stand-in listens. */
export interface ListenOptions {
  /** Default 0: any free port. */
  port?: number | undefined;
  /** Default `127.0.0.1`. */
  host?: string | undefined;
}

/**
 * Puts a stand-in on a socket.
 *
 * @throws {Error} `EADDRINUSE` when the port is taken, as node:net reports it.
 */
export async function listen(
  fake: Fake,
  { port = 0, host = '127.0.0.1' }: ListenOptions,
  guardsHost: boolean,
): Promise<FakeServer> {
  const door = innerDoorOf(fake);
  const { scripts, clock } = door.world;
  const sockets = new Map<Socket, { used: boolean; open: number }>();
  let guarded = false;

  const http = createHttpServer(
    { noDelay: true, keepAliveTimeout: 0, requestTimeout: 0 },
    (request, response) => {
      const state = sockets.get(request.socket);
      if (state?.used && scripts.takeConnection(['reset-on-reuse'])) {
        request.socket.resetAndDestroy();
        return;
      }
      if (state) {
        state.used = true;
        state.open++;
        response.once('close', () => state.open--);
      }
      const hostAllowed = !guarded || isAllowedHost(request.headers.host);
      void serve(door, hostAllowed, request as IncomingMessage, response as ServerResponse);
    },
  );
  // The real servers wait for ever, and so does this.
  http.headersTimeout = 0;

  // A listener of its own in front, so that a script can spoil a connection before HTTP sees it.
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.set(socket, { used: false, open: 0 });
    socket.once('close', () => sockets.delete(socket));
    const step = scripts.takeConnection(['reset', 'ignore']);
    if (!step) http.emit('connection', socket);
    else {
      socket.on('error', () => {});
      if (step.how === 'reset') socket.resetAndDestroy();
      else socket.pause();
    }
  });
  const closeIdle = () => {
    for (const [socket, { open }] of sockets) if (open === 0) socket.end();
  };

  await listenOn(listener, port, host);
  // A port that was given up here is passed over: pools of this process may still hold connections to it, and a busy
  // machine tells them late that those are gone.
  for (let tries = 0; port === 0 && givenUp.has(portOf(listener)) && tries < MOST_PASSED_OVER; tries++) {
    listener.close();
    await once(listener, 'close');
    await listenOn(listener, 0, host);
  }
  const bound = listener.address() as AddressInfo;
  guarded = guardsHost && isLoopback(bound.address);
  /** Set while a script keeps the port closed: opens it again, unless it is open or the script has ended. */
  let endRefusal: (() => void) | undefined;
  const up = async () => {
    endRefusal = undefined;
    if (!listener.listening) await listenOn(listener, bound.port, bound.address);
  };
  const down = async () => {
    endRefusal = undefined;
    givenUp.add(bound.port);
    const closed = listener.listening ? once(listener, 'close') : undefined;
    if (listener.listening) listener.close();
    door.stop();
    for (const socket of sockets.keys()) socket.resetAndDestroy();
    await closed;
    // One turn more, in which clients of this process notice: the next server may get the same port, and their pools
    // must not send its first request over a connection that is gone.
    await new Promise((resolve) => setImmediate(resolve));
  };
  scripts.watch(() => {
    if (scripts.nextConnection === undefined) return;
    // The next request must come over a new connection.
    if (scripts.nextConnection !== 'reset-on-reuse') closeIdle();
    const refuse = scripts.takeConnection(['refuse']);
    if (!refuse) return;
    if (listener.listening) listener.close();
    const end = () => {
      if (endRefusal === end) void up();
    };
    endRefusal = end;
    if (refuse.ms !== undefined) clock.setTimer(end, refuse.ms);
  });
  // What a script closed is open again when there are no scripts any more; what `down()` closed is not theirs.
  scripts.onClear(() => endRefusal?.());

  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return { url: `http://${name}:${bound.port}`, port: bound.port, fake, up, down, close: down };
}

/** Ports of stand-ins of this process that were closed. */
const givenUp = new Set<number>();
/** Where nearly all ports were given up, the next one is as good. */
const MOST_PASSED_OVER = 50;

function portOf(listener: Server): number {
  return (listener.address() as AddressInfo).port;
}

async function listenOn(listener: Server, port: number, host: string): Promise<void> {
  listener.listen(port, host);
  await once(listener, 'listening');
}
