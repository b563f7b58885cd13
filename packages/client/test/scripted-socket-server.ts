import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';

/** A frame of a client, read. */
export interface Frame {
  id?: string;
  type: string;
  request?: { model: string; messages?: unknown; prompt?: string };
  credit?: number;
}

/** One socket as its server sees it. */
export interface ServerSide {
  socket: WebSocket;
  upgrade: IncomingMessage;
  frames: Frame[];
  /** Resolves with the nth frame (from 1) of a type. */
  frame(type: string, number?: number): Promise<Frame>;
  /** Sends an event of a request. */
  event(id: string | undefined, seq: number, body: object): void;
  /** Sends a whole answer: start, the words, done. */
  answer(id: string | undefined, ...words: string[]): void;
  closed: Promise<number>;
}

export interface SocketServer {
  url: string;
  tickets: { authorization: string | undefined; ticket: string }[];
  sockets: ServerSide[];
  /** The nth socket (from 1), as soon as it is open. */
  opened(number: number): Promise<ServerSide>;
  /** Cuts every connection without a word. */
  cut(): void;
}

interface Script {
  onFrame?: (side: ServerSide, frame: Frame) => void;
  /** Refuses an upgrade with this status. */
  refuse?: (request: IncomingMessage) => number | undefined;
  ticketAnswer?: { status: number; body: string };
  /** A page that this server gives at its root. */
  page?: string;
}

/** A real WebSocket server on 127.0.0.1 that speaks the kit's frames as its script says. */
export async function serveSockets({
  onFrame,
  refuse,
  ticketAnswer,
  page,
}: Script = {}): Promise<SocketServer> {
  const waiting = new Waiting<ServerSide>();
  const server = createServer((request, response) => {
    if (page !== undefined && request.url === '/') {
      return void response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
    }
    if (request.url !== '/ws/ticket') return void response.writeHead(404).end();
    if (ticketAnswer) return void response.writeHead(ticketAnswer.status).end(ticketAnswer.body);
    const ticket = `t${result.tickets.length + 1}`;
    result.tickets.push({ authorization: request.headers.authorization, ticket });
    response.end(JSON.stringify({ ticket, expiresInMs: 30_000 }));
  });
  const wire = new WebSocketServer({ noServer: true, handleProtocols: () => 'ziggie.v1' });
  const connections = new Set<Duplex>();
  server.on('connection', (socket) => connections.add(socket));
  server.on('upgrade', (request, socket, head) => {
    const status = refuse?.(request);
    if (status !== undefined) return void socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
    wire.handleUpgrade(request, socket, head, (open) => {
      const side = sideOf(open, request, onFrame);
      result.sockets.push(side);
      waiting.add(side);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const connection of connections) connection.destroy();
  };
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        cut();
        server.close(() => resolve());
      }),
  );
  const result: SocketServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tickets: [],
    sockets: [],
    opened: (number) => waiting.get(number),
    cut,
  };
  return result;
}

function sideOf(socket: WebSocket, upgrade: IncomingMessage, onFrame: Script['onFrame']): ServerSide {
  const waiting = new Map<string, Waiting<Frame>>();
  const of = (type: string): Waiting<Frame> => {
    const found = waiting.get(type) ?? new Waiting<Frame>();
    waiting.set(type, found);
    return found;
  };
  const side: ServerSide = {
    socket,
    upgrade,
    frames: [],
    frame: (type, number = 1) => of(type).get(number),
    event: (id, seq, body) => socket.send(JSON.stringify({ id, event: { ...body, seq } })),
    answer(id, ...words) {
      const start = { type: 'start', id: 'run-1', model: 'm', upstreamModel: 'm:latest', resumable: false };
      const events = [
        start,
        ...words.map((text) => ({ type: 'text-delta', text })),
        { type: 'done', finishReason: 'stop', timings: {} },
      ];
      for (const [seq, event] of events.entries()) side.event(id, seq, event);
    },
    closed: new Promise((resolve) => socket.on('close', resolve)),
  };
  socket.on('error', () => {});
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data)) as Frame;
    side.frames.push(frame);
    of(frame.type).add(frame);
    onFrame?.(side, frame);
  });
  return side;
}

/** Things that come one by one, for those who wait for the nth. */
class Waiting<T> {
  readonly #come: T[] = [];
  readonly #waiters: { number: number; resolve: (thing: T) => void }[] = [];

  add(thing: T): void {
    this.#come.push(thing);
    for (const { number, resolve } of this.#waiters) {
      const found = this.#come[number - 1];
      if (found !== undefined) resolve(found);
    }
  }

  get(number: number): Promise<T> {
    return new Promise((resolve) => {
      const found = this.#come[number - 1];
      if (found !== undefined) resolve(found);
      else this.#waiters.push({ number, resolve });
    });
  }
}
