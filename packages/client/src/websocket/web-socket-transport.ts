import { NDJSON_CONTENT_TYPE, ProtocolError, parseJson } from '@ziggie/llm-protocol';
import { newInterrupt } from '../call/interrupt.ts';
import { HttpError } from '../errors/http-error.ts';
import { readText } from '../http/read-text.ts';
import { send } from '../http/send.ts';
import type { Transport, TransportRequest, TransportResponse } from '../http/transport.ts';
import { type ClientTransport, transportOver } from '../internals.ts';
import type { Settings } from '../settings.ts';
import { SocketConnection } from './socket-connection.ts';
import type { OpenWebSocket } from './web-socket-like.ts';

/** Settings of {@link webSocketTransport}. */
export interface WebSocketTransportOptions {
  /**
   * Opens sockets where headers can be sent along, such as with `ws` in Node: the token then goes as `Authorization` with
   * the upgrade. Default: the platform's `WebSocket`, which takes no headers; a ticket of one use is fetched then
   * (`POST /ws/ticket`) and offered as a subprotocol. A token never stands in the address.
   */
  open?: OpenWebSocket | undefined;
  /** How long a socket without a request stays open, in milliseconds. Default 30 s. */
  idleCloseMs?: number | undefined;
}

/** Carries the answers of a client over WebSockets. */
export interface WebSocketTransport extends ClientTransport {
  /** Closes all sockets now; what runs on them fails. Not needed to end a program: unused sockets close by themselves. */
  close(): void;
}

/**
 * Answers of the kit over a WebSocket: many at once on one socket, each read no faster than its reader, each stopped
 * without touching another. Everything else (lists, status, a run that is picked up again) goes over HTTP as before, and
 * timeouts, retries and errors are the same.
 *
 * ```ts
 * const client = createClient({ baseUrl: '/api/llm', credentials, transport: webSocketTransport() });
 * ```
 */
export function webSocketTransport(options: WebSocketTransportOptions = {}): WebSocketTransport {
  const { open, idleCloseMs = 30_000 } = options;
  if (!(idleCloseMs >= 0)) throw new TypeError('Reading idleCloseMs: give a number of milliseconds.');
  const pools = new Set<SocketPool>();
  return transportOver(
    {
      close() {
        for (const pool of pools) pool.close();
      },
    },
    (settings) => {
      if (settings.target.name !== 'kit') {
        throw new TypeError('Reading transport: WebSockets are spoken by the kit only; leave target out.');
      }
      const pool = new SocketPool(settings, open, idleCloseMs);
      pools.add(pool);
      return { reportsConnection: true, isShared: true, send: (request) => pool.send(request) };
    },
  );
}

/** The sockets of one client. A token has sockets of its own: an answer never goes to who was signed in before. */
class SocketPool {
  readonly #settings: Settings;
  readonly #http: Transport;
  readonly #open: OpenWebSocket | undefined;
  readonly #idleCloseMs: number;
  readonly #sockets = new Map<SocketConnection, string>();
  readonly #opening = new Map<string, Promise<SocketConnection>>();

  constructor(settings: Settings, open: OpenWebSocket | undefined, idleCloseMs: number) {
    this.#settings = settings;
    this.#http = settings.transport;
    this.#open = open;
    this.#idleCloseMs = idleCloseMs;
  }

  send(request: TransportRequest): Promise<TransportResponse> {
    const type = request.url.slice(this.#settings.baseUrl.length + 1);
    if ((type === 'chat' || type === 'generate') && typeof request.body === 'string') {
      return this.#ask(type, request.body, request);
    }
    return this.#http.send(request);
  }

  close(): void {
    for (const socket of this.#sockets.keys()) socket.close();
  }

  async #ask(
    type: 'chat' | 'generate',
    body: string,
    { headers, signal, onConnected }: TransportRequest,
  ): Promise<TransportResponse> {
    const socket = await this.#socketFor(headers['authorization'] ?? '');
    await socket.opened;
    signal.throwIfAborted();
    onConnected();
    const answer = socket.ask(type, body);
    signal.addEventListener('abort', () => answer.close(), { once: true });
    await answer.begun();
    return {
      status: 200,
      header: (name) => (name.toLowerCase() === 'content-type' ? NDJSON_CONTENT_TYPE : undefined),
      body: answer,
    };
  }

  async #socketFor(authorization: string): Promise<SocketConnection> {
    for (const [socket, owner] of this.#sockets) {
      if (owner === authorization && socket.hasRoom) return socket;
    }
    // Those who ask while one is being opened share it.
    let opening = this.#opening.get(authorization);
    if (!opening) {
      opening = this.#connect(authorization).finally(() => this.#opening.delete(authorization));
      this.#opening.set(authorization, opening);
    }
    return await opening;
  }

  async #connect(authorization: string): Promise<SocketConnection> {
    const { baseUrl, clock } = this.#settings;
    const sendsHeaders = this.#open !== undefined;
    const ticket = authorization !== '' && !sendsHeaders ? await this.#ticket(authorization) : undefined;
    const socket = new SocketConnection({
      url: `${baseUrl.replace(/^http/, 'ws')}/ws`,
      ticket,
      headers: authorization === '' ? {} : { authorization },
      open: this.#open ?? ((url, protocols) => new WebSocket(url, [...protocols])),
      clock,
      idleCloseMs: this.#idleCloseMs,
      onClosed: (closed) => this.#sockets.delete(closed),
    });
    this.#sockets.set(socket, authorization);
    return socket;
  }

  async #ticket(authorization: string): Promise<string> {
    // The token of this very request: asking for another here could be of somebody else by now.
    const credentials = authorization.replace(/^Bearer /, '');
    const path = '/ws/ticket';
    const { status, body, requestId } = await send(
      { ...this.#settings, transport: this.#http, credentials },
      { method: 'POST', path, body: '{}', accept: 'application/json', headers: undefined },
      newInterrupt(),
      () => {},
    );
    try {
      const { ticket } = parseJson(await readText(body, 64 * 1024)) as { ticket?: unknown };
      if (typeof ticket === 'string' && /^[\w.~-]{1,512}$/.test(ticket)) return ticket;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
    throw new HttpError('malformed_record', `POST ${path}: the answer holds no ticket. Is baseUrl right?`, {
      status,
      requestId,
      retryable: false,
    });
  }
}
