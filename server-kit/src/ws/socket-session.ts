import { type ClientFrame, SOCKET_PING_INTERVAL_MS, socketCloseCodes } from '@ziggie/llm-protocol';
import type { Clock } from '../clock.ts';
import { KitFailure } from '../failure.ts';
import type { Principal } from '../kit-types.ts';
import { decide, type Rate } from '../limits/gcra.ts';
import { bareRecordWriter } from './bare-record.ts';
import { type BareFrame, readClientFrame } from './client-frame.ts';
import type { KitSocket } from './kit-socket.ts';
import { type EncodeFrame, type Outlet, SocketRequest } from './socket-request.ts';

/** Frames of one client: 200 a second over time, 2,000 at once; a credit frame per event of 8 fast streams stays below. */
const frameRate: Rate = { burst: 2000, intervalMs: 5 };
/** Pings and pongs that nobody asked for: 100 in 10 s. */
const controlRate: Rate = { burst: 100, intervalMs: 100 };
/** Bytes that wait in the socket before no run of it is read any more. */
const bufferBytes = 256 * 1024;
const bareId = 'bare';

/** What a session needs of the kit. */
export interface SessionParts {
  clock: Clock;
  settings: {
    maxRequestsPerSocket: number;
    stallTimeoutMs: number;
    allowBareRequests: boolean;
  };
  /** Runs one request to its end through the same stages as over HTTP. Never rejects. */
  answer(
    session: SocketSession,
    operation: 'chat' | 'generate',
    body: Record<string, unknown>,
    request: SocketRequest,
  ): Promise<void>;
  /** Goes on with an answer from the event after `after`. Never rejects. */
  resume(
    session: SocketSession,
    from: { streamId: string; after: number },
    request: SocketRequest,
  ): Promise<void>;
  /** Looks at a token: the first one, or a newer one. @throws {KitFailure} */
  authenticate(session: SocketSession, token: string): Promise<void>;
  onClosed(session: SocketSession): void;
}

/** One open socket: reads its frames, keeps its requests apart, and closes it for a reason. */
export class SocketSession {
  readonly #socket: KitSocket;
  readonly #parts: SessionParts;
  readonly #requests = new Map<string, SocketRequest>();
  /** Who is on the other end; `undefined` until the first frame has said so, where that is allowed. */
  principal: Principal | undefined;
  /** Makes sure that the credential is still good. @throws {KitFailure} */
  recheck: (() => Promise<Principal>) | undefined;
  readonly openedAt: number;
  #lastSeenAt: number;
  #lastPingAt: number;
  #frameTat: number | undefined;
  #controlTat: number | undefined;
  #awaitsPong = false;
  #closed = false;
  #isLeaving = false;
  #fullSince: number | undefined;

  constructor(socket: KitSocket, parts: SessionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.openedAt = parts.clock.now();
    this.#lastSeenAt = this.openedAt;
    this.#lastPingAt = this.openedAt;
    socket.listen({
      onText: (text) => this.#onText(text),
      onBinary: () => this.close(1003, 'Frames are JSON text.'),
      onPong: () => this.#onControl(),
      onDrain: () => {
        for (const request of [...this.#requests.values()]) request.flush();
      },
      onClose: () => this.#onClose(),
    });
  }

  get running(): number {
    return this.#requests.size;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Ends the socket: every run of it is let go at once. */
  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#onClose();
    this.#socket.close(code, reason);
  }

  /** The server is going down: no new request; the socket closes when its last answer is out. */
  goAway(): void {
    this.#isLeaving = true;
    this.#closeIfDone();
  }

  /** Looked at every few seconds: whether the other end is alive, takes what it is sent, and is owed a ping. */
  tick(now: number): void {
    if (this.#closed) return;
    if (now - this.#lastSeenAt > 2 * SOCKET_PING_INTERVAL_MS) {
      this.#onClose();
      // A peer that says nothing answers no closing handshake either; the door cuts it off.
      this.#socket.close(socketCloseCodes.timeout, 'No sign of life.');
      return;
    }
    this.#fullSince = this.#socket.bufferedBytes < bufferBytes ? undefined : (this.#fullSince ?? now);
    if (now - (this.#fullSince ?? now) >= this.#parts.settings.stallTimeoutMs) {
      this.#onClose();
      this.#socket.terminate();
      return;
    }
    if (now - this.#lastPingAt < SOCKET_PING_INTERVAL_MS) return;
    this.#lastPingAt = now;
    this.#awaitsPong = true;
    this.#socket.ping();
  }

  #onText(text: string): void {
    if (this.#closed) return;
    const now = this.#parts.clock.now();
    this.#lastSeenAt = now;
    const decision = decide(this.#frameTat, now, frameRate);
    this.#frameTat = decision.tatMs;
    if (!decision.allowed) {
      this.close(socketCloseCodes.rateLimited, 'Too many frames.');
      return;
    }
    const frame = readClientFrame(text);
    if (frame.type === 'auth') {
      void this.#authenticate(frame.token);
      return;
    }
    if (this.principal === undefined) {
      this.close(socketCloseCodes.unauthorized, 'The first frame must be {"type":"auth","token":"…"}.');
      return;
    }
    switch (frame.type) {
      case 'ping':
        this.#socket.send('{"type":"pong"}');
        return;
      case 'bad':
        if (frame.id === undefined || this.#requests.has(frame.id)) this.close(1008, frame.problem);
        else this.#refuse(frame.id, frame.problem);
        return;
      case 'bare':
        this.#bare(frame);
        return;
      case 'credit':
        // One that crosses the last event on its way is nobody's fault.
        this.#requests.get(frame.id)?.grant(frame.credit);
        return;
      case 'cancel':
        this.#requests
          .get(frame.id)
          ?.fail(new KitFailure('aborted', 'The request was stopped by its reader.'), frame.id);
        return;
      case 'resume':
        if (this.#requests.has(frame.id)) this.close(1008, 'The id is in use.');
        else this.#resume(frame);
        return;
      default:
        if (this.#requests.has(frame.id)) this.close(1008, 'The id is in use.');
        else this.#start(frame.type, frame.request, frame.id, frame.credit, eventFrame(frame.id));
    }
  }

  #start(
    operation: 'chat' | 'generate',
    body: Record<string, unknown>,
    id: string,
    credit: number,
    encode: EncodeFrame,
  ): void {
    const request = this.#register(id, credit, encode);
    if (request) void this.#parts.answer(this, operation, body, request);
  }

  /** A request in the book; `undefined` when it was refused since the socket carries enough. */
  #register(id: string, credit: number, encode: EncodeFrame): SocketRequest | undefined {
    const request = new SocketRequest(id, credit, this.#outlet(id), encode);
    const onStall = () =>
      request.fail(
        new KitFailure(
          'deadline_exceeded',
          'The reader took no event for too long, so the answer was ended.',
        ),
        id,
      );
    request.onStall = onStall;
    if (this.#requests.size >= this.#parts.settings.maxRequestsPerSocket) {
      const most = this.#parts.settings.maxRequestsPerSocket;
      request.fail(
        new KitFailure('too_many_in_flight', `A socket carries at most ${most} requests at once.`, {
          retryAfterMs: 1000,
        }),
        id,
      );
      return undefined;
    }
    this.#requests.set(id, request);
    return request;
  }

  #resume({ id, streamId, after, credit }: Extract<ClientFrame, { type: 'resume' }>): void {
    const request = this.#register(id, credit, eventFrame(id));
    request?.after(after);
    if (request) void this.#parts.resume(this, { streamId, after }, request);
  }

  #bare({ request: body }: BareFrame): void {
    if (!this.#parts.settings.allowBareRequests) {
      this.close(1008, 'id and type are missing. Bare {prompt, model} frames are not allowed here.');
      return;
    }
    const { clock } = this.#parts;
    const model = typeof body['model'] === 'string' ? body['model'] : '';
    const encode = bareRecordWriter(model, () => new Date(clock.wallNow()));
    if (this.#requests.has(bareId)) {
      this.#socket.send(JSON.stringify({ error: 'An answer is being written already. Wait for its end.' }));
      return;
    }
    this.#start('generate', body, bareId, Number.MAX_SAFE_INTEGER, encode);
  }

  #refuse(id: string, problem: string): void {
    const request = new SocketRequest(id, 0, this.#outlet(id), eventFrame(id));
    request.fail(new KitFailure('bad_request', problem), id);
  }

  #outlet(id: string): Outlet {
    const { clock, settings } = this.#parts;
    const socket = this.#socket;
    return {
      send: (text) => {
        if (!this.#closed) socket.send(text);
      },
      get hasRoom() {
        return socket.bufferedBytes < bufferBytes;
      },
      onOver: () => {
        this.#requests.delete(id);
        if (this.#isLeaving) this.#closeIfDone();
      },
      startStallTimer: (onStall) => clock.setTimer(onStall, settings.stallTimeoutMs),
    };
  }

  async #authenticate(token: string): Promise<void> {
    try {
      await this.#parts.authenticate(this, token);
    } catch (thrown) {
      const code = thrown instanceof KitFailure ? thrown.code : 'internal_error';
      if (code === 'forbidden') this.close(socketCloseCodes.forbidden, 'This caller may not use the socket.');
      else if (code === 'rate_limited') this.close(socketCloseCodes.rateLimited, 'Too many tries.');
      else this.close(socketCloseCodes.unauthorized, 'The token is not good.');
    }
  }

  #onControl(): void {
    const now = this.#parts.clock.now();
    this.#lastSeenAt = now;
    if (this.#awaitsPong) {
      this.#awaitsPong = false;
      return;
    }
    const decision = decide(this.#controlTat, now, controlRate);
    this.#controlTat = decision.tatMs;
    if (!decision.allowed) this.close(socketCloseCodes.rateLimited, 'Too many control frames.');
  }

  #closeIfDone(): void {
    if (this.#requests.size === 0) this.close(socketCloseCodes.unavailable, 'The server is restarting.');
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const request of [...this.#requests.values()]) request.leave();
    this.#parts.onClosed(this);
  }
}

function eventFrame(id: string): EncodeFrame {
  const head = `{"id":"${id}","event":`;
  return (event) => `${head}${JSON.stringify(event)}}`;
}
