import { MAX_ANSWER_BYTES, NDJSON_CONTENT_TYPE } from '@ziggie/llm-protocol';
import type {
  ChatRequest,
  ChatResponse,
  Config,
  CopyRequest,
  CreateRequest,
  DeleteRequest,
  EmbeddingsRequest,
  EmbeddingsResponse,
  EmbedRequest,
  EmbedResponse,
  GenerateRequest,
  GenerateResponse,
  ListResponse,
  ProgressResponse,
  PullRequest,
  PushRequest,
  ShowRequest,
  ShowResponse,
  StatusResponse,
  SystemOneRequest,
  SystemOneResponse,
  VersionResponse,
  WebFetchRequest,
  WebFetchResponse,
  WebSearchRequest,
  WebSearchResponse,
} from 'ollama';
import { callJson, type JsonRequest } from '../call/call-json.ts';
import { checkCall } from '../check-arguments.ts';
import { part } from '../part.ts';
import { IDLE_WITH_STRUCTURE_MS, type Settings, timeoutsFor } from '../settings.ts';
import { settingsOf } from '../settings-of.ts';
import type { Dialect, Target } from '../targets/target.ts';
import type { CallOptions, ClientOptions } from '../types.ts';
import { encodeBytes, withEncodedImages } from './encode-images.ts';
import { formatHost } from './format-host.ts';
import { joinRecords } from './join-records.ts';
import { inTheirWords, RecordRun } from './record-run.ts';
import { RecordStream } from './record-stream.ts';

/** Settings of {@link Ollama}: those of the `ollama` package, and time limits, retries, hooks and logger of ours. */
export type OllamaConfig = Partial<Config> &
  Pick<ClientOptions, 'timeouts' | 'retry' | 'hooks' | 'logger' | 'clock' | 'random'>;

/** What a streaming method resolves to. Leaving the loop closes the connection, and so does `abort()`, of this one only. */
export interface AbortableStream<T> extends AsyncIterable<T> {
  abort(reason?: unknown): void;
}

/** Pulls check sums of large layers in silence. */
const TRANSFER_IDLE_MS = 600_000;
const CLOUD = 'https://ollama.com';

const dialect = async (): Promise<Dialect> =>
  (await part(() => import('../targets/ollama-dialect.ts'))).dialect;

/** Whatever the caller gives is sent, also what a browser may not send to Ollama: so does `ollama`. */
const target: Target = {
  name: 'ollama',
  accept: NDJSON_CONTENT_TYPE,
  takesOwnHeaders: true,
  baseUrl: (given) => given,
  speech: dialect,
  dialect,
};

/**
 * The methods and shapes of the `ollama` package over this client: the same requests give the same answers, with retries
 * before the first record, time limits, typed errors, a `signal` per call, connections that close when a loop is left,
 * and cost that is linear in the answer. Nothing is read from disk and nothing that was passed in is changed.
 *
 * Every method takes `CallOptions` as its last argument.
 */
export class Ollama {
  readonly #settings: Settings;
  readonly #cloud: Settings;
  readonly #open = new Set<RecordRun<object>>();

  /** @throws {TypeError} for a host that is no address, and headers that cannot be sent. */
  constructor(config: OllamaConfig = {}) {
    const { host, proxy, headers, fetch, ...options } = config;
    const { baseUrl, authorization } = proxy ? { baseUrl: '/', authorization: undefined } : formatHost(host);
    const own = plainHeaders(headers);
    if (authorization !== undefined && !('authorization' in own)) own['authorization'] = authorization;
    const settingsFor = (url: string): Settings => {
      const key = url.startsWith(`${CLOUD}/`) || url === CLOUD ? apiKey() : undefined;
      return settingsOf(
        {
          ...options,
          baseUrl: url,
          headers: own,
          ...(fetch === undefined ? {} : { fetch: (...request) => fetch(...request) }),
          ...(key === undefined || 'authorization' in own ? {} : { credentials: key }),
        },
        target,
      );
    };
    this.#settings = settingsFor(baseUrl);
    this.#cloud = settingsFor(CLOUD);
  }

  /** Ends every stream that is open. A single one: its own `abort()`, a `signal`, or leaving the loop. */
  abort(): void {
    for (const run of [...this.#open]) run.abort(new Error('Ollama.abort() was called.'));
  }

  /** Base64 of bytes; base64 and the data of data URLs as they are. @throws {TypeError} for anything else, paths too. */
  async encodeImage(image: Uint8Array | string): Promise<string> {
    return encodeBytes(image);
  }

  chat(
    request: ChatRequest & { stream: true },
    options?: CallOptions,
  ): Promise<AbortableStream<ChatResponse>>;
  chat(request: ChatRequest & { stream?: false }, options?: CallOptions): Promise<ChatResponse>;
  async chat(request: ChatRequest, options?: CallOptions): Promise<unknown> {
    return this.#records('/api/chat', { messages: [], ...withEncodedImages(request) }, options);
  }

  generate(
    request: GenerateRequest & { stream: true },
    options?: CallOptions,
  ): Promise<AbortableStream<GenerateResponse>>;
  generate(request: GenerateRequest & { stream?: false }, options?: CallOptions): Promise<GenerateResponse>;
  async generate(request: GenerateRequest, options?: CallOptions): Promise<unknown> {
    return this.#records('/api/generate', withEncodedImages(request), options);
  }

  create(
    request: CreateRequest & { stream: true },
    options?: CallOptions,
  ): Promise<AbortableStream<ProgressResponse>>;
  create(request: CreateRequest & { stream?: false }, options?: CallOptions): Promise<ProgressResponse>;
  async create(request: CreateRequest, options?: CallOptions): Promise<unknown> {
    return this.#records('/api/create', withEncodedImages(request), options, TRANSFER_IDLE_MS);
  }

  pull(
    request: PullRequest & { stream: true },
    options?: CallOptions,
  ): Promise<AbortableStream<ProgressResponse>>;
  pull(request: PullRequest & { stream?: false }, options?: CallOptions): Promise<ProgressResponse>;
  async pull(request: PullRequest, options?: CallOptions): Promise<unknown> {
    return this.#records('/api/pull', { ...request }, options, TRANSFER_IDLE_MS);
  }

  push(
    request: PushRequest & { stream: true },
    options?: CallOptions,
  ): Promise<AbortableStream<ProgressResponse>>;
  push(request: PushRequest & { stream?: false }, options?: CallOptions): Promise<ProgressResponse>;
  async push(request: PushRequest, options?: CallOptions): Promise<unknown> {
    return this.#records('/api/push', { ...request }, options, TRANSFER_IDLE_MS);
  }

  async delete(request: DeleteRequest, options?: CallOptions): Promise<StatusResponse> {
    await this.#json({ method: 'DELETE', path: '/api/delete', body: request }, options);
    return { status: 'success' };
  }

  async copy(request: CopyRequest, options?: CallOptions): Promise<StatusResponse> {
    await this.#json({ method: 'POST', path: '/api/copy', body: request }, options);
    return { status: 'success' };
  }

  async list(options?: CallOptions): Promise<ListResponse> {
    return this.#json({ path: '/api/tags' }, options);
  }

  async show(request: ShowRequest, options?: CallOptions): Promise<ShowResponse> {
    return this.#json({ method: 'POST', path: '/api/show', body: request }, options);
  }

  async embed(request: EmbedRequest, options?: CallOptions): Promise<EmbedResponse> {
    return this.#json({ method: 'POST', path: '/api/embed', body: request }, options);
  }

  async embeddings(request: EmbeddingsRequest, options?: CallOptions): Promise<EmbeddingsResponse> {
    return this.#json({ method: 'POST', path: '/api/embeddings', body: request }, options);
  }

  async systemone(request: SystemOneRequest, options?: CallOptions): Promise<SystemOneResponse> {
    return this.#json({ method: 'POST', path: '/v1/systemone', body: request }, options);
  }

  async ps(options?: CallOptions): Promise<ListResponse> {
    return this.#json({ path: '/api/ps' }, options);
  }

  async version(options?: CallOptions): Promise<VersionResponse> {
    return this.#json({ path: '/api/version' }, options);
  }

  /** Asks ollama.com. Needs a key: `headers.authorization`, or `OLLAMA_API_KEY` in the environment. */
  async webSearch(request: WebSearchRequest, options?: CallOptions): Promise<WebSearchResponse> {
    if (!request.query) throw new TypeError('Query is required');
    return this.#json({ method: 'POST', path: '/api/web_search', body: request }, options, this.#cloud);
  }

  /** Asks ollama.com. Needs a key: `headers.authorization`, or `OLLAMA_API_KEY` in the environment. */
  async webFetch(request: WebFetchRequest, options?: CallOptions): Promise<WebFetchResponse> {
    if (!request.url) throw new TypeError('URL is required');
    return this.#json({ method: 'POST', path: '/api/web_fetch', body: request }, options, this.#cloud);
  }

  async #records(
    path: string,
    request: Readonly<Record<string, unknown>>,
    options: CallOptions = {},
    idleMs?: number,
  ): Promise<unknown> {
    checkCall(options);
    const structured = request['format'] !== undefined || request['tools'] !== undefined;
    const run: RecordRun<object> = new RecordRun(
      this.#settings,
      // On the wire it always streams: a whole answer that is waited for in silence is cut off by proxies.
      {
        path,
        body: { ...request, stream: true },
        idleMs: idleMs ?? (structured ? IDLE_WITH_STRUCTURE_MS : undefined),
      },
      options,
      () => this.#open.delete(run),
    );
    this.#open.add(run);
    await run.open();
    const stream = new RecordStream(run);
    if (request['stream'] === true) return stream;
    const records: Record<string, unknown>[] = [];
    for await (const record of stream) records.push(record as Record<string, unknown>);
    return path === '/api/chat' || path === '/api/generate' ? joinRecords(records) : records.at(-1);
  }

  async #json<T>(request: JsonRequest, options: CallOptions = {}, settings = this.#settings): Promise<T> {
    checkCall(options);
    // A model may have to be loaded first.
    const answerMs = timeoutsFor(settings, options).firstTokenMs;
    try {
      return await callJson(
        settings,
        { ...request, maxBytes: MAX_ANSWER_BYTES, ...(request.body ? { answerMs } : {}) },
        options,
        (body) => body as T,
      );
    } catch (error) {
      throw inTheirWords(error);
    }
  }
}

/** One to share, for `http://127.0.0.1:11434`. */
export const ollama: Ollama = /* @__PURE__ */ new Ollama();

function plainHeaders(headers: Config['headers']): Record<string, string> {
  if (headers === undefined) return {};
  const plain: Record<string, string> = {};
  new Headers(headers).forEach((value, name) => {
    plain[name] = value;
  });
  return plain;
}

function apiKey(): string | undefined {
  const { process } = globalThis as { process?: { env?: Readonly<Record<string, string | undefined>> } };
  return process?.env?.['OLLAMA_API_KEY'] || undefined;
}
