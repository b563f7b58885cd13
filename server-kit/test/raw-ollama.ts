import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** One request as it came over a socket, and the socket to answer on. */
export interface RawExchange {
  socket: Socket;
  method: string;
  path: string;
  body: string;
  /** Resolves with the time, by `performance.now()`, when the socket has closed. */
  closed: Promise<number>;
}

/** A model server that does on its socket what a real one never should. It lists one model, `raw:latest`, as loaded. */
export interface RawOllama {
  url: string;
  /** Sockets accepted so far. */
  sockets: number;
  /** Chat and generate requests so far, in order. */
  exchanges: RawExchange[];
  /** Answers the next chat and generate requests. */
  answer: (exchange: RawExchange) => void;
  close(): Promise<void>;
}

export async function startRawOllama(answer: (exchange: RawExchange) => void): Promise<RawOllama> {
  const open = new Set<Socket>();
  const raw: RawOllama = { url: '', sockets: 0, exchanges: [], answer, close: () => close(server, open) };
  const server = createServer((socket) => {
    raw.sockets++;
    open.add(socket);
    const closed = new Promise<number>((resolve) => {
      socket.once('close', () => {
        open.delete(socket);
        resolve(performance.now());
      });
    });
    socket.on('error', () => {});
    let pending: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk]);
      for (let parsed = take(pending); parsed; parsed = take(pending)) {
        pending = parsed.rest;
        if (parsed.path.endsWith('/api/tags') || parsed.path.endsWith('/api/ps')) {
          socket.write(whole(JSON.stringify({ models: [{ name: 'raw:latest', model: 'raw:latest' }] })));
        } else {
          const { method, path, body } = parsed;
          const exchange = { socket, method, path, body, closed };
          raw.exchanges.push(exchange);
          raw.answer(exchange);
        }
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  raw.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return raw;
}

async function close(server: Server, open: Set<Socket>): Promise<void> {
  if (!server.listening) return;
  const done = once(server, 'close');
  server.close();
  for (const socket of open) socket.destroy();
  await done;
}

function take(bytes: Buffer): { method: string; path: string; body: string; rest: Buffer } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  const end = headEnd + 4 + length;
  if (bytes.length < end) return undefined;
  const [method = '', path = ''] = head.split(' ');
  return { method, path, body: bytes.toString('utf8', headEnd + 4, end), rest: bytes.subarray(end) };
}

/** A whole HTTP answer with a length. */
export function whole(body: string | Uint8Array, head = 'HTTP/1.1 200 OK', headers: string[] = []): Buffer {
  const bytes = Buffer.from(body);
  const lines = [head, `content-length: ${bytes.length}`, ...headers];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), bytes]);
}

/** The head of a streamed answer. */
export const streamHead =
  'HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n';

/** One chunk of a streamed answer. */
export function chunk(body: string | Uint8Array): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

/** The end of a streamed answer. */
export const streamEnd = '0\r\n\r\n';

/** A record with text. */
export function textRecord(content: string): string {
  return `${JSON.stringify({ model: 'raw:latest', message: { role: 'assistant', content }, done: false })}\n`;
}

/** A last record with figures. */
export const lastRecord = `${JSON.stringify({
  model: 'raw:latest',
  message: { role: 'assistant', content: '' },
  done: true,
  done_reason: 'stop',
  total_duration: 3_000_000,
  prompt_eval_count: 5,
  eval_count: 2,
  eval_duration: 1_000_000,
})}\n`;
