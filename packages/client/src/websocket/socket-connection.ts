import { SOCKET_PING_INTERVAL_MS, SOCKET_SUBPROTOCOL, SOCKET_TICKET_PREFIX } from '@ziggie/llm-protocol';
import { ConnectionError } from '../errors/connection-error.ts';
import type { ZiggieError } from '../errors/ziggie-error.ts';
import type { Clock } from '../types.ts';
import { closeError, upgradeError } from './close-error.ts';
import { readFrame } from './read-frame.ts';
import { CREDIT, type RequestHost, SocketRequest } from './socket-request.ts';
import type { OpenWebSocket, WebSocketLike } from './web-socket-like.ts';

/** More at once than this go over another socket: the kit's own limit. */
const MAX_REQUESTS = 64;

/** What a socket is opened with. */
export interface SocketPlan {
  url: string;
  /** Offered as a subprotocol, the one thing that browsers let a page choose. */
  ticket?: string | undefined;
  headers: Readonly<Record<string, string>>;
  open: OpenWebSocket;
  clock: Clock;
  idleCloseMs: number;
  onClosed(connection: SocketConnection): void;
}

/**
 * One socket and the requests on it. Closes itself when none has run for a while, and when the other side is silent for
 * two ping intervals: a half-open connection tells nothing by itself.
 */
export class SocketConnection implements RequestHost {
  readonly opened: Promise<void>;
  readonly #plan: SocketPlan;
  readonly #socket: WebSocketLike;
  readonly #requests = new Map<string, SocketRequest>();
  #isOpen = false;
  #over: ZiggieError | undefined;
  #nextId = 0;
  #heardAt: number;
  #problem: unknown;
  #cancelPing = (): void => {};
  #cancelIdle = (): void => {};
  #resolveOpened!: () => void;
  #rejectOpened!: (error: ZiggieError) => void;

  /** @throws what `open` throws. */
  constructor(plan: SocketPlan) {
    this.#plan = plan;
    this.#heardAt = plan.clock.now();
    this.opened = new Promise((resolve, reject) => {
      this.#resolveOpened = resolve;
      this.#rejectOpened = reject;
    });
    this.opened.catch(() => {});
    const protocols = plan.ticket === undefined ? [] : [SOCKET_TICKET_PREFIX + plan.ticket];
    this.#socket = plan.open(plan.url, [SOCKET_SUBPROTOCOL, ...protocols], plan.headers);
    this.#socket.onopen = () => this.#onOpen();
    this.#socket.onmessage = ({ data }: { data: unknown }) => this.#onMessage(data);
    this.#socket.onerror = (event: { error?: unknown }) => {
      this.#problem = event?.error ?? event;
    };
    this.#socket.onclose = ({ code }: { code: number }) => this.#onClose(code);
  }

  /** Whether another request may go over this socket. */
  get hasRoom(): boolean {
    return this.#over === undefined && this.#requests.size < MAX_REQUESTS;
  }

  /** Sends a request; its answer begins with the first event. @param body The JSON that it would have had over HTTP. */
  ask(type: 'chat' | 'generate', body: string): SocketRequest {
    if (this.#over) throw this.#over;
    this.#cancelIdle();
    this.#nextId++;
    const request = new SocketRequest(`${this.#nextId}`, this);
    this.#requests.set(request.id, request);
    this.#socket.send(`{"id":"${request.id}","type":"${type}","request":${body},"credit":${CREDIT}}`);
    return request;
  }

  grant(id: string, credit: number): void {
    if (this.#over) return;
    this.#socket.send(JSON.stringify({ id, type: 'credit', credit }));
  }

  leave(id: string, isDone: boolean): void {
    if (!this.#requests.delete(id) || this.#over) return;
    if (!isDone) this.#socket.send(JSON.stringify({ id, type: 'cancel' }));
    if (this.#requests.size === 0) this.#waitIdle();
  }

  /** Ends the socket and every request on it. */
  close(reason: ZiggieError = new ConnectionError('The transport was closed.', { retryable: false })): void {
    if (this.#over) return;
    this.#end(() => reason);
    // Closed while it opens, a socket reports an error of its own: nobody waits for that one.
    this.#socket.close(1000);
  }

  #onOpen(): void {
    if (this.#over) return;
    this.#isOpen = true;
    this.#heardAt = this.#plan.clock.now();
    this.#resolveOpened();
    this.#keepAlive(this.#heardAt + SOCKET_PING_INTERVAL_MS);
    this.#waitIdle();
  }

  #onMessage(data: unknown): void {
    if (this.#over) return;
    this.#heardAt = this.#plan.clock.now();
    const frame = readFrame(data);
    if (!frame) this.close(closeError(1007, 0));
    // A frame for a request that was cancelled may be on its way still.
    else if (frame.id !== undefined) this.#requests.get(frame.id)?.receive(frame.event);
  }

  #onClose(code: number): void {
    if (this.#over) return;
    if (this.#isOpen) this.#end((request) => closeError(code, request?.received ?? 0, this.#problem));
    else {
      // Some servers accept only to tell why they do not want us.
      const error = code >= 4000 ? closeError(code, 0) : upgradeError(this.#plan.url, this.#problem);
      this.#end(() => error);
    }
  }

  /** @param pingAt When to ask for a sign of life next. */
  #keepAlive(pingAt: number): void {
    const { clock } = this.#plan;
    const deadAt = this.#heardAt + 2 * SOCKET_PING_INTERVAL_MS;
    const check = (): void => {
      const now = clock.now();
      const silentMs = now - this.#heardAt;
      if (silentMs >= 2 * SOCKET_PING_INTERVAL_MS) {
        this.close(new ConnectionError(`The socket has been silent for ${Math.round(silentMs / 1000)} s.`));
        return;
      }
      const isDue = now >= pingAt;
      if (isDue) this.#socket.send('{"type":"ping"}');
      this.#keepAlive(isDue ? now + SOCKET_PING_INTERVAL_MS : pingAt);
    };
    // Not at the ping after it: a reader's own time for silence may be over by then.
    this.#cancelPing = clock.setTimer(check, Math.min(pingAt, deadAt) - clock.now());
  }

  #waitIdle(): void {
    this.#cancelIdle();
    this.#cancelIdle = this.#plan.clock.setTimer(() => {
      if (this.#requests.size === 0) this.close();
    }, this.#plan.idleCloseMs);
  }

  #end(errorFor: (request?: SocketRequest) => ZiggieError): void {
    this.#over = errorFor();
    this.#cancelPing();
    this.#cancelIdle();
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    this.#plan.onClosed(this);
    this.#rejectOpened(this.#over);
    for (const request of requests) request.fail(errorFor(request));
  }
}
