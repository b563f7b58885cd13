import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, directlyOf, dropAnswer, isAnswer } from '../answer/answer.ts';
import type { Connection } from '../connection.ts';
import type { ServerKit } from '../kit-types.ts';
import { Stop } from '../stop.ts';
import { BodyPump, type PumpOptions } from './body-pump.ts';
import type { Door } from './door-options.ts';
import { EventPump } from './event-pump.ts';
import { announcesBody, type BodySource, toWebRequest } from './node-request.ts';
import { problemResponse } from './problem-response.ts';
import { requestUrl } from './raw-target.ts';
import { endTakenBody } from './read-body-text.ts';
import { writeAnswerHead, writeHead } from './response-head.ts';
import { onSocketClose } from './socket-close.ts';
import { discardUnreadBody, holdUnreadBody } from './unread-body.ts';

/** What the host app knows about a request beyond its socket. */
export interface HostFacts {
  /** Raw target below the mount. */
  target: string;
  /** What a body parser in front made of the body. */
  body?: unknown;
  user?: unknown;
}

/** Statuses without a body (RFC 9110 §6.4.1). */
const emptyStatuses: ReadonlySet<number> = new Set([204, 205, 304]);

/** What is plain ASCII is the same in both, and Node writes this one faster: it need not look at every sign. */
function encodingOf(text: string, bytes: number): 'latin1' | 'utf8' {
  return text.length === bytes ? 'latin1' : 'utf8';
}

/** One request and its answer on a Node connection: sees the client leave and tells both directions. */
export class Exchange {
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #door: Door;
  readonly #leaving = new Stop();
  readonly #stopWatching: () => void;
  #answer: Response | Answer | undefined;
  #pump: BodyPump | EventPump | undefined;
  #over = false;
  #failed = false;

  constructor(req: IncomingMessage, res: ServerResponse, door: Door) {
    this.#req = req;
    this.#res = res;
    this.#door = door;
    res.on('finish', this.#onFinish);
    // Streams of HTTP/2 end one by one and say so by `finish`; their socket is everybody's.
    this.#stopWatching = req.httpVersionMajor === 1 ? onSocketClose(req.socket, this.#onLeave) : () => {};
    if (req.socket.destroyed) this.#onLeave();
  }

  /**
   * Asks the kit. Never rejects: what it should not throw becomes a plain 500. After `undefined` the caller calls
   * {@link release} and lets the host app go on, or sends an answer of its own.
   */
  async ask(kit: ServerKit, facts: HostFacts): Promise<Response | Answer | undefined> {
    // A request line without a version, which Node takes: no hop of today would pass it on.
    if (this.#req.httpVersionMajor < 1) {
      return problemResponse('bad_request', 'The request does not say which version of HTTP it speaks.');
    }
    try {
      const { request, connection } = this.#translate(facts);
      const directly = directlyOf(kit);
      this.#answer = await (directly ? directly(request, connection) : kit.handle(request, connection));
    } catch {
      this.#answer = problemResponse('internal_error', 'The server failed while it handled the request.');
    }
    if (this.#over) this.#dropAnswer();
    return this.#answer;
  }

  /** Sends an answer, unless the client has left or the host app has answered by itself. */
  send(answer: Response | Answer): void {
    this.#answer = answer;
    const res = this.#res;
    if (this.#over || res.headersSent) {
      this.#dropAnswer();
      return;
    }
    try {
      holdUnreadBody(this.#req);
      endTakenBody(this.#req);
      if (isAnswer(answer)) this.#sendAnswer(answer);
      else this.#sendResponse(answer);
    } catch {
      this.#dropAnswer();
      this.#onBroken();
    }
  }

  #sendAnswer(answer: Answer): void {
    const res = this.#res;
    const { status, body } = answer;
    const hasBody = body !== null && this.#req.method !== 'HEAD' && !emptyStatuses.has(status);
    const text = hasBody && 'text' in body ? body.text : undefined;
    const bytes = text === undefined ? 0 : Buffer.byteLength(text);
    writeAnswerHead(answer, res, this.#req.httpVersionMajor, text === undefined ? undefined : bytes);
    if (!hasBody) {
      this.#dropAnswer();
      res.end();
    } else if ('text' in body) res.end(body.text, encodingOf(body.text, bytes));
    else this.#start(new EventPump(body.events, body.framing, res, this.#pumpOptions()));
  }

  #sendResponse(response: Response): void {
    const res = this.#res;
    writeHead(response, res, this.#req.httpVersionMajor);
    const { body } = response;
    if (body === null || this.#req.method === 'HEAD' || emptyStatuses.has(response.status)) {
      this.#dropAnswer();
      res.end();
    } else this.#start(new BodyPump(body, res, this.#pumpOptions()));
  }

  #start(pump: BodyPump | EventPump): void {
    this.#pump = pump;
    pump.start();
  }

  #pumpOptions(): PumpOptions {
    const { clock, stallTimeoutMs } = this.#door;
    return { clock, stallTimeoutMs, onBroken: this.#onBroken };
  }

  /** Lets go of the request: it is over, or the host app goes on with it. */
  release(): void {
    this.#over = true;
    this.#stopWatching();
    this.#res.off('finish', this.#onFinish);
    this.#dropAnswer();
  }

  #translate(facts: HostFacts): { request: Request; connection: Connection } {
    const req = this.#req;
    const encrypted = 'encrypted' in req.socket && req.socket.encrypted === true;
    const forwardedFor = this.#door.believes ? req.headers['x-forwarded-for'] : undefined;
    const connection: Connection = {
      remoteAddress: this.#door.clientAddress(
        req.socket.remoteAddress ?? '',
        Array.isArray(forwardedFor) ? forwardedFor.join(',') : forwardedFor,
      ),
      encrypted,
      target: facts.target,
      rawHeaders: req.rawHeaders,
    };
    if (this.#door.trustsTooMuch) connection.trustsTooMuch = true;
    if (facts.user !== undefined) connection.user = facts.user;
    let source: BodySource = announcesBody(req) ? 'wire' : null;
    // Only when something was read: the parsers of Express 4 set `req.body = {}` on requests they pass over.
    if (req.readableDidRead && facts.body !== undefined) {
      const { body } = facts;
      // What `express.text()` and `express.raw()` keep is the body itself, not something parsed.
      if (typeof body === 'string' || body instanceof Uint8Array) source = body as BodySource;
      else {
        connection.parsedBody = body;
        source = null;
      }
    }
    const url = requestUrl(facts.target, encrypted);
    return { request: toWebRequest(req, url, this.#leaving, source, this.#askForBody), connection };
  }

  /**
   * A sender that waits for `100 Continue` (RFC 9110 §10.1.1) gets it when somebody wants the body, and an answer at once
   * when nobody does. Node has sent it by then, unless the host listens to `checkContinue`.
   */
  readonly #askForBody = (): void => {
    const res = this.#res as ServerResponse & { _sent100?: boolean };
    if (this.#req.headers.expect?.toLowerCase() !== '100-continue' || res._sent100 || res.headersSent) return;
    res.writeContinue();
  };

  readonly #onFinish = (): void => {
    // HTTP/2 says `finish` of a response whose stream was reset, too.
    if (!this.#res.writableEnded) {
      this.#onLeave();
      return;
    }
    this.release();
    discardUnreadBody(this.#req, this.#door.clock);
  };

  readonly #onLeave = (): void => {
    if (this.#over) return;
    this.#leaving.abort(undefined);
    this.#pump?.stop(undefined);
    this.release();
  };

  /** An answer that nobody reads is told so, or its source would wait for a reader for ever. */
  #dropAnswer(): void {
    const answer = this.#answer;
    if (answer === undefined) return;
    if (isAnswer(answer)) dropAnswer(answer);
    else if (answer.body && !answer.body.locked) answer.body.cancel().catch(() => {});
  }

  readonly #onBroken = (): void => {
    const res = this.#res;
    if (!res.headersSent && !this.#pump?.wrote && !this.#failed) {
      this.#failed = true;
      for (const name of res.getHeaderNames()) res.removeHeader(name);
      this.send(problemResponse('internal_error', 'The server failed while it made the answer.'));
      return;
    }
    // The connection ends so that nobody takes what was sent for a whole answer. HTTP/1.0 ends a body by closing:
    // there only a reset looks like a failure. TLS sees the missing end by itself.
    const { socket } = this.#req;
    if (this.#req.httpVersion === '1.0' && !('encrypted' in socket)) socket.resetAndDestroy();
    else res.destroy();
  };
}
