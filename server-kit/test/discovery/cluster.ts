import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { certificate } from '../doors/certificate.ts';

interface Slice {
  metadata: { name: string; resourceVersion?: string };
  addressType: string;
  ports: { name?: string; port: number }[];
  endpoints: unknown[];
}

/** One slice with ready endpoints at these addresses. */
export function slice(name: string, addresses: readonly string[], more: Partial<Slice> = {}): Slice {
  return {
    metadata: { name },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 11_434 }],
    endpoints: addresses.map((address, at) => ({
      addresses: [address],
      conditions: { ready: true },
      targetRef: { name: `${name}-${at}` },
    })),
    ...more,
  };
}

interface Watcher {
  version: number;
  response: ServerResponse;
}

/** The part of a cluster's API that is about EndpointSlices: lists in pages, watches from a version on, 410 for old ones. */
export class Cluster {
  token = 'token-1';
  readonly asked: string[] = [];
  readonly slices = new Map<string, Slice>();
  readonly #events: { version: number; type: string; object: unknown }[] = [];
  readonly #watchers = new Set<Watcher>();
  #version = 100;
  /** Versions before this one are not kept. */
  #kept = 0;
  url = '';
  status: number | undefined;
  close: () => Promise<void> = async () => {};

  get watchers(): number {
    return this.#watchers.size;
  }

  async start(tls: boolean): Promise<this> {
    const answer = (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response);
    const server = tls ? createServer(certificate, answer) : createHttpServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.url = `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.close = async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    };
    return this;
  }

  put(one: Slice): void {
    const type = this.slices.has(one.metadata.name) ? 'MODIFIED' : 'ADDED';
    this.slices.set(one.metadata.name, one);
    this.#happened(type, one);
  }

  remove(name: string): void {
    const one = this.slices.get(name);
    this.slices.delete(name);
    if (one) this.#happened('DELETED', one);
  }

  bookmark(): void {
    this.#happened('BOOKMARK', { metadata: {} });
  }

  /** Forgets what has happened: whoever was not there must list again. */
  compact(): void {
    this.#kept = this.#version;
    this.#events.length = 0;
  }

  /** Ends every watch, as the API does after its time, or breaks its connection. */
  endWatches(how: 'end' | 'break'): void {
    for (const { response } of this.#watchers) how === 'end' ? response.end() : response.destroy();
    this.#watchers.clear();
  }

  #happened(type: string, one: { metadata: object }): void {
    const version = ++this.#version;
    const object = { ...one, metadata: { ...one.metadata, resourceVersion: String(version) } };
    const event = { version, type, object };
    this.#events.push(event);
    for (const watcher of this.#watchers) this.#send(watcher, event);
  }

  #send({ response }: Watcher, { type, object }: { type: string; object: unknown }): void {
    const line = `${JSON.stringify({ type, object })}\n`;
    // In two pieces: a line need not come whole.
    response.write(line.slice(0, 20));
    response.write(line.slice(20));
  }

  #answer(request: IncomingMessage, response: ServerResponse): unknown {
    const url = new URL(request.url ?? '/', 'http://cluster');
    this.asked.push(request.url ?? '');
    const refuse = (code: number) =>
      response
        .writeHead(code, { 'content-type': 'application/json' })
        .end(JSON.stringify({ kind: 'Status', code }));
    if (request.headers.authorization !== `Bearer ${this.token}`) return refuse(401);
    if (this.status !== undefined) return refuse(this.status);
    if (url.pathname !== '/apis/discovery.k8s.io/v1/namespaces/ai/endpointslices') return refuse(404);
    if (url.searchParams.get('labelSelector') !== 'kubernetes.io/service-name=ollama') return refuse(400);
    response.writeHead(200, { 'content-type': 'application/json' });
    if (url.searchParams.get('watch') === '1') return this.#watch(url, response);
    // One slice a page.
    const all = [...this.slices.values()];
    const at = Number(url.searchParams.get('continue') ?? 0);
    response.end(
      JSON.stringify({
        metadata: {
          resourceVersion: String(this.#version),
          ...(at + 1 < all.length ? { continue: String(at + 1) } : {}),
        },
        items: all.slice(at, at + 1),
      }),
    );
  }

  #watch(url: URL, response: ServerResponse): void {
    const version = Number(url.searchParams.get('resourceVersion'));
    if (version < this.#kept) {
      const object = { kind: 'Status', code: 410, reason: 'Expired' };
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      return;
    }
    response.flushHeaders();
    const watcher = { version, response };
    this.#watchers.add(watcher);
    response.on('close', () => this.#watchers.delete(watcher));
    for (const event of this.#events) if (event.version > version) this.#send(watcher, event);
  }
}
