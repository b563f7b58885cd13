import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { type BodyText, type DirectRequest, direct } from '../request/direct-request.ts';
import type { StopSignal } from '../stop.ts';
import { readBodyText } from './read-body-text.ts';
import { requestBody } from './request-body.ts';

/** Where a request's body comes from: the wire, or what a parser in front kept of it. */
export type BodySource = 'wire' | string | Uint8Array<ArrayBuffer> | null;

/** Methods that a web `Request` refuses, or that it gives no body. */
const bodyless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'CONNECT', 'TRACE', 'TRACK']);
const refused: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);

/** What {@link NodeRequest} hands on to a `Request` built only then. */
const seldomUsed = [
  'cache',
  'credentials',
  'destination',
  'duplex',
  'integrity',
  'keepalive',
  'mode',
  'redirect',
  'referrer',
  'referrerPolicy',
] as const;

/**
 * A web `Request` over a Node request. Node's own costs about as much as the rest of a small request's way through a
 * gateway (30 µs of CPU, measured), so headers, body and signal are made when they are asked for, and a real `Request`
 * only for the members that need one. The kit itself asks for none of them: see {@link DirectRequest}.
 *
 * It is an `instanceof Request`; to hand it to `fetch` or `new Request(…)`, give them its `clone()`.
 */
class NodeRequest implements DirectRequest {
  readonly #req: IncomingMessage;
  readonly #source: BodySource;
  readonly url: string;
  readonly method: string;
  readonly left: StopSignal;
  #headers: Headers | undefined;
  #body: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #real: Request | undefined;
  #signal: AbortSignal | undefined;

  static {
    for (const name of seldomUsed) {
      Object.defineProperty(NodeRequest.prototype, name, {
        get(this: NodeRequest) {
          return (this.#request() as Request & { duplex?: unknown })[name];
        },
      });
    }
    Object.setPrototypeOf(NodeRequest.prototype, Request.prototype);
  }

  readonly #onBodyWanted: (() => void) | undefined;

  constructor(
    req: IncomingMessage,
    url: string,
    left: StopSignal,
    source: BodySource,
    onBodyWanted?: () => void,
  ) {
    this.#req = req;
    this.#onBodyWanted = onBodyWanted;
    this.url = url;
    this.method = req.method ?? 'GET';
    this.left = left;
    this.#source = bodyless.has(this.method) ? null : source;
  }

  get [direct](): DirectRequest {
    return this;
  }

  header(name: string): string | null {
    const { rawHeaders } = this.#req;
    let value: string | null = null;
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      const found = rawHeaders[at] as string;
      if (found.length !== name.length || found.toLowerCase() !== name) continue;
      const one = rawHeaders[at + 1] as string;
      value = value === null ? one : `${value}, ${one}`;
    }
    return value;
  }

  readText(maxBytes: number, stop: StopSignal, tooLong: () => Error): Promise<BodyText> | undefined {
    if (this.#source !== 'wire' || this.#body !== undefined || this.#real !== undefined) return undefined;
    const text = readBodyText(this.#req, maxBytes, stop, tooLong);
    this.#onBodyWanted?.();
    return text;
  }

  get signal(): AbortSignal {
    if (this.#signal !== undefined) return this.#signal;
    const controller = new AbortController();
    const leave = () => controller.abort(new DOMException('The client closed the connection.', 'AbortError'));
    if (this.left.aborted) leave();
    else this.left.addEventListener('abort', leave, { once: true });
    this.#signal = controller.signal;
    return this.#signal;
  }

  get headers(): Headers {
    if (this.#headers !== undefined) return this.#headers;
    const headers = new Headers();
    const { rawHeaders } = this.#req;
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      const name = rawHeaders[at] as string;
      // HTTP/2's pseudo headers are no fields.
      if (!name.startsWith(':')) headers.append(name, rawHeaders[at + 1] as string);
    }
    this.#headers = headers;
    return headers;
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    if (this.#source === null) return null;
    if (this.#source !== 'wire') return this.#request().body;
    this.#body ??= requestBody(this.#req, this.#onBodyWanted);
    return this.#body;
  }

  get bodyUsed(): boolean {
    if (this.#real !== undefined) return this.#real.bodyUsed;
    return this.#body !== undefined && Readable.isDisturbed(this.#body as unknown as NodeJS.ReadableStream);
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#request().arrayBuffer();
  }

  async blob(): Promise<Blob> {
    return this.#request().blob();
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#request().bytes();
  }

  async formData(): Promise<FormData> {
    return this.#request().formData();
  }

  async json(): Promise<unknown> {
    return this.#request().json();
  }

  async text(): Promise<string> {
    return this.#request().text();
  }

  clone(): Request {
    return this.#request().clone();
  }

  #request(): Request {
    const source = this.#source;
    this.#real ??= new Request(this.url, {
      method: refused.has(this.method) ? 'GET' : this.method,
      headers: this.headers,
      signal: this.signal,
      ...(source === null ? {} : { body: source === 'wire' ? this.body : source, duplex: 'half' }),
    } as RequestInit);
    return this.#real;
  }
}

/** The web `Request` of a Node request, at the URL given. `onBodyWanted` is called before the first byte is waited for. */
export function toWebRequest(
  req: IncomingMessage,
  url: string,
  left: StopSignal,
  source: BodySource,
  onBodyWanted?: () => void,
): Request {
  return new NodeRequest(req, url, left, source, onBodyWanted) as unknown as Request;
}

/** Whether the wire announces a body (RFC 9112 §6.3); HTTP/2 does not say beforehand. */
export function announcesBody(req: IncomingMessage): boolean {
  const { 'transfer-encoding': encoding, 'content-length': length = '0' } = req.headers;
  return encoding !== undefined || length !== '0' || req.httpVersionMajor > 1;
}
