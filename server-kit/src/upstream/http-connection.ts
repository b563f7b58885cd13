import { connect, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Slotted } from '../open-set.ts';
import type { ExchangeSocket, HttpExchange } from './http-exchange.ts';
import type { ResponseHead } from './response-head.ts';
import { ResponseParser, type ResponseSink } from './response-parser.ts';
import { ConnectFailed } from './transport.ts';

/** What is read at once, by all connections: each read is taken in before the next begins. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** How long a connection is silent before the system looks whether the other end is there, in ms. */
const probeAfterMs = 60_000;

/** Where connections go. */
export interface ConnectionTarget {
  host: string;
  port: number;
  isEncrypted: boolean;
  connectMs: number;
  lookup: LookupFunction | undefined;
}

/** Hears what becomes of a connection. */
export interface ConnectionOwner {
  /** It is free for another request. `idleMs` is how long the other end keeps it, where it says so. */
  onFree(connection: HttpConnection, idleMs: number | undefined): void;
  onClosed(connection: HttpConnection): void;
  /** Of TLS, for the next connection to begin with. */
  session: Buffer | undefined;
}

/**
 * One connection to a model server, with one request on it at a time.
 *
 * Its listeners are added once. What is read goes from one buffer of all connections straight to the parser, without a
 * Node stream in between: with undici that way was 8 µs of a small request and 3 µs of a token (`bench/server-kit`).
 */
export class HttpConnection implements Slotted, ExchangeSocket, ResponseSink {
  slot = -1;
  /** Since when nobody uses it, and until when it is kept then, by `performance.now()`. */
  freeSince = 0;
  idleUntil = 0;
  /** Since when, by how often the event loop had begun to look at its sockets. */
  freeSinceLook = 0;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #parser = new ResponseParser(this);
  #exchange: HttpExchange | undefined;
  #request = '';
  #encoding: BufferEncoding = 'utf8';
  #isConnected = false;
  #isReading = false;
  #connectTimer: NodeJS.Timeout;

  constructor(target: ConnectionTarget, owner: ConnectionOwner) {
    this.#owner = owner;
    this.#socket = this.#connect(target);
    const onLate = () => this.#fail(new ConnectFailed('No connection in time.'));
    this.#connectTimer = setTimeout(onLate, target.connectMs).unref();
    this.#socket
      .once(target.isEncrypted ? 'secureConnect' : 'connect', this.#onConnect)
      .on('end', this.#onEnd)
      .on('error', this.#fail)
      .on('close', this.#onClose);
  }

  /** Whether a request may be put on it. */
  get isFree(): boolean {
    return this.#exchange === undefined && !this.#socket.destroyed && this.#socket.writable;
  }

  /** Sends a request and hands its answer to the exchange. Plain ASCII is written faster as `latin1`. */
  run(exchange: HttpExchange, request: string, encoding: BufferEncoding): void {
    this.#exchange = exchange;
    this.#socket.ref();
    this.#parser.begin();
    exchange.carriedBy(this);
    if (this.#isConnected) {
      this.#socket.write(request, encoding);
      return;
    }
    this.#request = request;
    this.#encoding = encoding;
  }

  onHead(head: Readonly<ResponseHead>): void {
    this.#exchange?.onHead(head);
  }

  onBody(read: Buffer, from: number, to: number): void {
    this.#exchange?.onBody(read, from, to);
  }

  resume(): void {
    // Whoever reads is asked afterwards whether to go on.
    if (!this.#isReading) this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #connect({ host, port, isEncrypted, lookup }: ConnectionTarget): Socket {
    const options = {
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: probeAfterMs,
      onread: { buffer: readBuffer, callback: this.#onRead },
      ...(lookup ? { lookup } : {}),
    };
    if (!isEncrypted) return connect(options);
    const { session } = this.#owner;
    const socket = connectTls({
      ...options,
      ALPNProtocols: ['http/1.1'],
      ...(session ? { session } : {}),
    });
    socket.on('session', (given) => {
      this.#owner.session = given;
    });
    return socket;
  }

  readonly #onConnect = (): void => {
    clearTimeout(this.#connectTimer);
    this.#isConnected = true;
    const request = this.#request;
    this.#request = '';
    if (this.#exchange !== undefined) this.#socket.write(request, this.#encoding);
  };

  /** Gives whether to read on. */
  readonly #onRead = (length: number): boolean => {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      // Nobody has asked for anything: whatever it is, it must not become the answer to the next request.
      this.#socket.destroy();
      return false;
    }
    this.#isReading = true;
    try {
      this.#parser.read(readBuffer, length);
    } catch (thrown) {
      this.#isReading = false;
      this.#fail(thrown as Error);
      return false;
    }
    if (this.#parser.isWhole) this.#over(exchange);
    const goesOn = exchange.readDone();
    this.#isReading = false;
    return goesOn || this.#exchange !== exchange;
  };

  readonly #onEnd = (): void => {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      this.#socket.destroy();
      return;
    }
    try {
      this.#parser.end();
    } catch (thrown) {
      this.#fail(thrown as Error);
      return;
    }
    this.#over(exchange);
    exchange.readDone();
  };

  /** The answer is whole. Its connection serves again if both ends have said all they had to. */
  #over(exchange: HttpExchange): void {
    this.#exchange = undefined;
    // A connection that nobody uses is no reason for a process to go on.
    this.#socket.unref();
    exchange.end();
    if (this.#parser.keepsAlive && this.#socket.writableLength === 0 && this.isFree)
      this.#owner.onFree(this, this.#parser.idleMs);
    else this.#socket.destroy();
  }

  readonly #fail = (error: Error): void => {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.fail(this.#isConnected ? error : new ConnectFailed(codeOf(error)));
    this.#socket.destroy();
  };

  readonly #onClose = (): void => {
    clearTimeout(this.#connectTimer);
    this.#owner.onClosed(this);
    if (this.#exchange) this.#fail(new Error('The connection was closed.'));
  };
}

function codeOf({ code, message }: NodeJS.ErrnoException): string {
  return code ?? message;
}
