import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InnerDoor } from '../create-fake.ts';
import { ClientLeft, Cut } from '../ollama/http-failure.ts';
import { sleep } from '../ollama/sleep.ts';
import type { Outgoing } from '../ollama/world.ts';
import type { FakeClock } from '../types.ts';
import { compressed } from './compressed.ts';

/** Answers one request over its socket. */
export async function serve(
  { handle, world }: InnerDoor,
  hostAllowed: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const left = new AbortController();
  // Also comes for a half-closed connection, which Go takes for a client that left too.
  response.once('close', () => left.abort());
  // A reset connection is the client leaving, which the close event tells.
  response.on('error', () => {});
  const target = request.url ?? '/';
  const queryAt = target.indexOf('?');
  try {
    const outgoing = await handle({
      method: request.method ?? 'GET',
      path: queryAt === -1 ? target : target.slice(0, queryAt),
      query: queryAt === -1 ? '' : target.slice(queryAt),
      headers: headersOf(request),
      hostAllowed,
      readBytes: () => readBytes(request),
      signal: left.signal,
    });
    if (outgoing.wire) await sendWire(outgoing.wire, request, world.clock, left.signal);
    else await send(outgoing, request, response, left.signal);
  } catch (cause) {
    // A cut, or a client that is gone: the connection ends without an answer's end.
    if (cause instanceof Cut && cause.how === 'close') request.socket.end();
    else request.socket.resetAndDestroy();
  }
}

async function send(
  outgoing: Outgoing,
  request: IncomingMessage,
  response: ServerResponse,
  left: AbortSignal,
): Promise<void> {
  const { status, headers, shape } = outgoing;
  if (shape?.before) request.socket.write(shape.before, 'latin1');
  if (shape?.trailers) headers['trailer'] = Object.keys(shape.trailers).join(', ');
  // One that the script gave may lie, and the connection must not be used after it.
  const lengthGiven = headers['content-length'] !== undefined;
  const body = shape?.gzip ? compressed(outgoing, shape.gzip) : outgoing.body;
  if (typeof body === 'string') {
    const length = Buffer.byteLength(body);
    response.writeHead(status, {
      ...(status === 204 || status === 304 ? {} : { 'content-length': String(length) }),
      ...headers,
    });
    response.end(request.method === 'HEAD' ? undefined : body);
    if (lengthGiven) request.socket.end();
    return;
  }
  response.writeHead(status, headers);
  let flushed: Promise<unknown> = Promise.resolve();
  try {
    for await (const piece of body) {
      if (left.aborted) throw new ClientLeft();
      if (piece.length === 0) {
        response.flushHeaders();
        continue;
      }
      let mayGoOn = true;
      flushed = new Promise((resolve) => {
        mayGoOn = response.write(piece, resolve);
      });
      if (!mayGoOn) await drained(response, left);
    }
  } catch (cause) {
    // What was written before a scripted cut belongs to the client; a reset would take it back.
    if (cause instanceof Cut) await flushed;
    throw cause;
  }
  if (shape?.trailers) response.addTrailers(shape.trailers);
  response.end();
  if (lengthGiven) request.socket.end();
}

/** Bytes in place of an HTTP answer. */
async function sendWire(
  wire: NonNullable<Outgoing['wire']>,
  { socket }: IncomingMessage,
  clock: FakeClock,
  left: AbortSignal,
): Promise<void> {
  const bytes = typeof wire.bytes === 'string' ? Buffer.from(wire.bytes, 'latin1') : wire.bytes;
  const size = wire.sliceBytes ?? bytes.length;
  for (let at = 0; at < bytes.length; at += size) {
    if (at > 0) await sleep(clock, wire.everyMs, left);
    if (left.aborted) throw new ClientLeft();
    await new Promise<void>((resolve) => void socket.write(bytes.subarray(at, at + size), () => resolve()));
  }
  if (wire.ending === 'close') socket.end();
  else if (wire.ending === 'reset') socket.resetAndDestroy();
  else await sleep(clock, Number.POSITIVE_INFINITY, left);
}

/** Resolves when more may be written, or nobody reads any more. */
function drained(response: ServerResponse, left: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      left.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    left.addEventListener('abort', done, { once: true });
  });
}

async function readBytes(request: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return new Uint8Array(Buffer.concat(chunks));
}

function headersOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}
