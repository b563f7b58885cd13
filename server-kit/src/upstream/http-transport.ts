import { performance } from 'node:perf_hooks';
import type { AllowedHosts } from '../discovery/allowed-hosts.ts';
import { OpenSet } from '../open-set.ts';
import type { LastingTransport } from '../upstreams/upstream.ts';
import { lookupWithin } from './allowed-lookup.ts';
import { type ConnectionOwner, type ConnectionTarget, HttpConnection } from './http-connection.ts';
import { HttpExchange } from './http-exchange.ts';
import type { UpstreamAnswer, UpstreamRequest } from './transport.ts';

/** How long a connection is kept that nobody uses, when the model server does not say, and at most, in ms. */
const keepMs = 4000;
const longestKeepMs = 600_000;
/** Less than the model server keeps it, by this: a request must not meet its end on the way. In ms. */
const marginMs = 2000;
const sweepEveryMs = 1000;
/**
 * After this a connection is known not to have been ended behind its last answer, in ms and in times that the event loop
 * has begun to look at its sockets: time alone is no proof while it is busy, and the look under way may not have come to it.
 */
const settleMs = 1;
const settleLooks = 2;
const { nodeTiming } = performance;
/** Beginnings of requests that are kept at most. */
const maxHeads = 32;

/** A request that waits for its connection. */
interface Soon {
  connection: HttpConnection;
  exchange: HttpExchange;
  written: Written;
}

/** A request as it is sent. */
interface Written {
  text: string;
  /** `latin1` for plain ASCII. */
  encoding: 'latin1' | 'utf8';
}

/**
 * The way to one model server: HTTP/1.1 over sockets of our own, each with one request at a time, kept for the next.
 *
 * It has no time limits beside the one on connecting; the kit's clocks decide. Redirects are not followed, and nothing is
 * sent a second time.
 */
export class HttpTransport implements LastingTransport, ConnectionOwner {
  readonly #target: ConnectionTarget;
  /** Header lines that every request has, and the path before each. */
  readonly #headLines: string;
  readonly #basePath: string;
  readonly #heads = new Map<string, string>();
  readonly #connections = new OpenSet<HttpConnection>();
  /** The one that was used last comes last, and is used first. */
  readonly #idle: HttpConnection[] = [];
  /** Requests that wait until their connections have been looked at. */
  #soon: Soon[] = [];
  #cancelSweep: (() => void) | undefined;
  #isRetired = false;
  #isClosed = false;
  #onQuiet: (() => void) | undefined;
  #open = 0;
  session: Buffer | undefined;

  /**
   * @param apiKey Sent as a bearer token with every request.
   * @param allowed Where connections may go, when the address was not given by the operator.
   * @throws {TypeError} for a key that cannot stand in a header.
   */
  constructor(url: URL, connectMs: number, apiKey?: string, allowed?: AllowedHosts) {
    const isEncrypted = url.protocol === 'https:';
    this.#target = {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (isEncrypted ? 443 : 80) : Number(url.port),
      isEncrypted,
      connectMs,
      lookup: allowed && lookupWithin(allowed),
    };
    if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey))
      throw new TypeError('An API key must be printable ASCII without spaces.');
    const authorization = apiKey === undefined ? '' : `authorization: Bearer ${apiKey}\r\n`;
    this.#headLines = `host: ${url.host}\r\nconnection: keep-alive\r\n${authorization}`;
    this.#basePath = url.pathname.replace(/\/+$/, '');
  }

  get open(): number {
    return this.#open;
  }

  send(request: UpstreamRequest): Promise<UpstreamAnswer> {
    return new Promise((resolve, reject) => {
      const written = this.#written(request);
      this.#open++;
      const exchange = new HttpExchange(request.signal, resolve, reject, this.#onExchangeOver);
      if (exchange.over) return;
      if (this.#isClosed || this.#isRetired) {
        exchange.fail(closed());
        return;
      }
      const now = performance.now();
      const kept = this.#kept(now);
      if (kept === undefined) this.#fresh().run(exchange, written.text, written.encoding);
      else if (isSettled(kept, now)) kept.run(exchange, written.text, written.encoding);
      else this.#runSoon(kept, exchange, written);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelSweep?.();
    for (const connection of this.#connections) connection.destroy();
    await this.#quiet();
  }

  /** Closes when what is open has ended. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    this.#sweep();
    await this.#quiet();
  }

  onFree(connection: HttpConnection, idleMs: number | undefined): void {
    const forMs = idleMs === undefined ? keepMs : Math.min(idleMs - marginMs, longestKeepMs);
    if (forMs <= 0 || this.#isRetired || this.#isClosed) {
      connection.destroy();
      return;
    }
    connection.freeSince = performance.now();
    connection.freeSinceLook = nodeTiming.uvMetricsInfo.loopCount;
    connection.idleUntil = connection.freeSince + forMs;
    this.#keep(connection);
  }

  onClosed(connection: HttpConnection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onQuiet?.();
  }

  #keep(connection: HttpConnection): void {
    this.#idle.push(connection);
    this.#sweepLater();
  }

  readonly #onExchangeOver = (): void => {
    this.#open--;
  };

  #fresh(): HttpConnection {
    const connection = new HttpConnection(this.#target, this);
    this.#connections.add(connection);
    return connection;
  }

  /** A connection that nobody uses: the one used last, or the one used first if that was just now. */
  #kept(now: number): HttpConnection | undefined {
    for (;;) {
      const last = this.#idle.at(-1);
      const kept = last === undefined || isSettled(last, now) ? this.#idle.pop() : this.#idle.shift();
      if (kept === undefined || (kept.isFree && kept.idleUntil > now)) return kept;
      kept.destroy();
    }
  }

  /**
   * Some servers end a connection behind an answer without a word before. What has arrived by now is read within one turn
   * of the event loop; until then nothing is sent that would have to fail.
   */
  #runSoon(connection: HttpConnection, exchange: HttpExchange, written: Written): void {
    this.#soon.push({ connection, exchange, written });
    // The first comes before the sockets are looked at again, the second behind it. Those of one turn go together.
    if (this.#soon.length === 1) setImmediate(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    setImmediate(this.#onNextTurn, this.#soon);
    this.#soon = [];
  };

  readonly #onNextTurn = (soon: readonly Soon[]): void => {
    for (const { connection, exchange, written } of soon) {
      const { text, encoding } = written;
      if (exchange.over) {
        if (connection.isFree) this.#keep(connection);
      } else if (this.#isClosed) exchange.fail(closed());
      else if (connection.isFree) connection.run(exchange, text, encoding);
      else this.#fresh().run(exchange, text, encoding);
    }
  };

  /** A request as it is sent. @throws {TypeError} for a path that would not stay one. */
  #written({ method, path, body }: UpstreamRequest): Written {
    const head = this.#headOf(method, path);
    if (body === undefined) return { text: `${head}accept: application/json\r\n\r\n`, encoding: 'latin1' };
    const bytes = Buffer.byteLength(body);
    return {
      text: `${head}content-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n${body}`,
      encoding: bytes === body.length ? 'latin1' : 'utf8',
    };
  }

  /** What every request to a path begins with. There are few of them. */
  #headOf(method: string, path: string): string {
    const key = `${method} ${path}`;
    let head = this.#heads.get(key);
    if (head !== undefined) return head;
    const target = `${this.#basePath}${path}`;
    // Nothing else can begin a second line.
    if (!/^[\x21-\x7e]+$/.test(target)) throw new TypeError('A path must be printable ASCII without spaces.');
    head = `${method} ${target} HTTP/1.1\r\n${this.#headLines}`;
    if (this.#heads.size >= maxHeads) this.#heads.clear();
    this.#heads.set(key, head);
    return head;
  }

  #quiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#onQuiet = resolve;
      if (this.#connections.size === 0) resolve();
    });
  }

  #sweepLater(): void {
    if (this.#cancelSweep !== undefined) return;
    const timer = setTimeout(this.#onSweep, sweepEveryMs).unref();
    const cancel = () => clearTimeout(timer);
    this.#cancelSweep = cancel;
  }

  readonly #onSweep = (): void => {
    this.#cancelSweep = undefined;
    this.#sweep();
    if (this.#idle.length > 0) this.#sweepLater();
  };

  /** Closes what nobody has used for too long. */
  #sweep(): void {
    const now = performance.now();
    const kept: HttpConnection[] = [];
    for (const connection of this.#idle) {
      if (connection.isFree && connection.idleUntil > now && !this.#isRetired) kept.push(connection);
      else connection.destroy();
    }
    this.#idle.splice(0, this.#idle.length, ...kept);
  }
}

function isSettled({ freeSince, freeSinceLook }: HttpConnection, now: number): boolean {
  if (now - freeSince < settleMs) return false;
  return nodeTiming.uvMetricsInfo.loopCount - freeSinceLook >= settleLooks;
}

function closed(): Error {
  return new Error('The way to this model server has been closed.');
}
