import { NdjsonSplitter, parseJson } from '@ziggie/llm-protocol';
import { type EndpointSlice, upstreamsOf } from './endpoint-slices.ts';
import { type KubernetesAccess, type KubernetesAnswer, KubernetesApi } from './kubernetes-api.ts';
import { NotFound, reasonFor } from './polling.ts';
import type { DiscoveryListener, UpstreamDiscovery } from './upstream-discovery.ts';

/** Settings of {@link discoverByKubernetes}. */
export interface KubernetesDiscoveryOptions extends KubernetesAccess {
  namespace: string;
  /** Name of the service whose endpoints the model servers are. */
  service: string;
  /** Name or number of its port. Default: the only one. */
  port?: string | undefined;
  /** How the servers are spoken to. Default `http`. */
  scheme?: 'http' | 'https' | undefined;
}

const dnsLabel = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const dnsName = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const pageSize = 500;
const maxPages = 100;
/** How long the API is asked to keep a watch, and after how much silence beyond that it is given up. */
const watchSeconds = 290;
const silenceMs = 320_000;
const listMs = 30_000;
const maxListBytes = 64 * 1024 * 1024;
const firstWaitMs = 1000;
const longestWaitMs = 30_000;

/**
 * Finds model servers as the ready endpoints of a Kubernetes service: its EndpointSlices are listed and then watched, from
 * the version of the list on. A watch that ends goes on where it was; a version that is too old (410) means a new list.
 * Needs `list` and `watch` on `endpointslices` of `discovery.k8s.io` in the namespace.
 *
 * @throws {TypeError} for names that cannot be.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export function discoverByKubernetes(options: KubernetesDiscoveryOptions): UpstreamDiscovery {
  const { namespace, service, port } = options;
  if (!dnsLabel.test(namespace) || !dnsName.test(service)) {
    throw new TypeError('discoverByKubernetes(): namespace and service must be names of Kubernetes.');
  }
  if (port !== undefined && !/^[A-Za-z0-9-]{1,63}$/.test(port)) {
    throw new TypeError('discoverByKubernetes(): port must be the name or number of a port.');
  }
  // Made once for its checks; each watch has its own connections.
  new KubernetesApi(options, process.env);
  return {
    watch(listener) {
      const watch = new SliceWatch(options, listener);
      void watch.run();
      return watch.stop;
    },
  };
}

/** The version that a watch would go on from is no longer kept. */
class Gone extends Error {}

class SliceWatch {
  readonly #options: KubernetesDiscoveryOptions;
  readonly #listener: DiscoveryListener;
  readonly #api: KubernetesApi;
  readonly #path: string;
  readonly #slices = new Map<string, EndpointSlice>();
  readonly #over = new AbortController();
  #version: string | undefined;
  #failures = 0;

  constructor(options: KubernetesDiscoveryOptions, listener: DiscoveryListener) {
    this.#options = options;
    this.#listener = listener;
    this.#api = new KubernetesApi(options, process.env);
    const label = encodeURIComponent(`kubernetes.io/service-name=${options.service}`);
    this.#path = `/apis/discovery.k8s.io/v1/namespaces/${options.namespace}/endpointslices?labelSelector=${label}`;
  }

  readonly stop = (): void => {
    this.#over.abort();
    void this.#api.close();
  };

  async run(): Promise<void> {
    const { clock, failed } = this.#listener;
    const { signal } = this.#over;
    while (!signal.aborted) {
      const beganAt = clock.now();
      try {
        if (this.#version === undefined) await this.#list();
        await this.#watch();
        // A server that ends every watch at once must not be asked in a circle.
        if (clock.now() - beganAt < firstWaitMs) await this.#wait(firstWaitMs);
      } catch (thrown) {
        if (signal.aborted) return;
        if (thrown instanceof Gone) {
          this.#version = undefined;
          if (this.#failures++ === 0) continue;
        } else {
          this.#failures++;
          failed(reasonFor(thrown));
        }
        await this.#wait(Math.min(longestWaitMs, firstWaitMs * 2 ** (this.#failures - 1)));
      }
    }
  }

  #wait(ms: number): Promise<void> {
    const { signal } = this.#over;
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = this.#listener.clock.setTimer(end, ms);
      signal.addEventListener('abort', end);
    });
  }

  /** All slices, page by page, and the version that they are. */
  async #list(): Promise<void> {
    const found = new Map<string, EndpointSlice>();
    let version: unknown;
    let next = '';
    let pages = 0;
    do {
      if (++pages > maxPages) throw new NotFound('the list of endpoints has no end');
      const query = `&limit=${pageSize}${next === '' ? '' : `&continue=${encodeURIComponent(next)}`}`;
      const page = await this.#page(query);
      for (const item of page.items) found.set(nameOf(item), item);
      version = page.metadata.resourceVersion;
      next = typeof page.metadata.continue === 'string' ? page.metadata.continue : '';
    } while (next !== '');
    if (typeof version !== 'string' || version === '')
      throw new NotFound('the list of endpoints has no version');
    this.#slices.clear();
    for (const [name, slice] of found) this.#slices.set(name, slice);
    this.#version = version;
    this.#tell();
  }

  async #page(query: string): Promise<{ items: EndpointSlice[]; metadata: Record<string, unknown> }> {
    return this.#asked(query, listMs, async ({ body }) => {
      const decoder = new TextDecoder();
      let text = '';
      for await (const chunk of body) {
        text += decoder.decode(chunk, { stream: true });
        if (text.length > maxListBytes) throw new NotFound('the list of endpoints is too long');
      }
      const { items, metadata } = (parseJson(text) ?? {}) as { items?: unknown; metadata?: unknown };
      if (!Array.isArray(items)) throw new NotFound('the answer is not a list of endpoints');
      return { items: items as EndpointSlice[], metadata: (metadata ?? {}) as Record<string, unknown> };
    });
  }

  /** Follows what changes until the API ends the watch. */
  async #watch(): Promise<void> {
    const version = encodeURIComponent(this.#version ?? '');
    const query = `&watch=1&allowWatchBookmarks=true&timeoutSeconds=${watchSeconds}&resourceVersion=${version}`;
    await this.#asked(query, silenceMs, async ({ body }, touch) => {
      const decoder = new TextDecoder();
      const lines = new NdjsonSplitter();
      for await (const chunk of body) {
        touch();
        let changed = false;
        lines.push(decoder.decode(chunk, { stream: true }), (line) => {
          changed = this.#follow(parseJson(line) as WatchEvent | null) || changed;
        });
        if (changed) this.#tell();
      }
    });
  }

  /** @returns Whether it changes who is there. */
  #follow(event: WatchEvent | null): boolean {
    const { type, object } = event ?? {};
    if (type === 'ERROR') {
      if ((object as { code?: unknown } | undefined)?.code === 410) throw new Gone();
      throw new NotFound('the watch ended with an error of the cluster');
    }
    this.#failures = 0;
    const { resourceVersion } = object?.metadata ?? {};
    if (typeof resourceVersion === 'string') this.#version = resourceVersion;
    if (object === undefined || type === 'BOOKMARK') return false;
    const name = nameOf(object);
    if (type === 'DELETED') return this.#slices.delete(name);
    if (type !== 'ADDED' && type !== 'MODIFIED') return false;
    this.#slices.set(name, object);
    return true;
  }

  /** Asks, and gives up after so much silence; what is not read to its end is given up, too. */
  async #asked<T>(
    query: string,
    patienceMs: number,
    read: (answer: KubernetesAnswer, touch: () => void) => Promise<T>,
  ): Promise<T> {
    const { clock } = this.#listener;
    const giveUp = new AbortController();
    const signal = AbortSignal.any([giveUp.signal, this.#over.signal]);
    const end = () => giveUp.abort();
    let cancel = clock.setTimer(end, patienceMs);
    const touch = () => {
      cancel();
      cancel = clock.setTimer(end, patienceMs);
    };
    try {
      const answer = await this.#api.get(`${this.#path}${query}`, signal);
      if (answer.status === 410) throw new Gone();
      if (answer.status !== 200) throw new NotFound(`the API answered ${answer.status}`);
      return await read(answer, touch);
    } finally {
      cancel();
      giveUp.abort();
    }
  }

  #tell(): void {
    const { port, scheme = 'http' } = this.#options;
    this.#listener.found(upstreamsOf(this.#slices.values(), port, scheme));
  }
}

interface WatchEvent {
  type?: unknown;
  object?: EndpointSlice | undefined;
}

function nameOf({ metadata }: EndpointSlice): string {
  return typeof metadata?.name === 'string' ? metadata.name : '';
}
