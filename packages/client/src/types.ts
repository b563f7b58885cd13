import type {
  ChatRequest,
  DoneEvent,
  FinishReason,
  GenerateRequest,
  LoadingEvent,
  ModelInfo,
  QueuedEvent,
  RestartEvent,
  ServerStatus,
  StartEvent,
  TextDeltaEvent,
  ThinkingDeltaEvent,
  Timings,
  ToolCall,
  ToolCallEvent,
  Usage,
  UsageEvent,
} from '@ziggie/llm-protocol';
import type { EmbedRequest, EmbedResult } from './embed/types.ts';
import type { ClientHooks } from './hooks.ts';
import type { ClientTransport } from './internals.ts';
import type { Logger } from './logger.ts';

/**
 * What a stream yields: the events of the wire without their numbers. A failure is thrown, never yielded.
 *
 * When an attempt fails before its first token, its `start`, `queued` and `loading` may have been yielded already; those
 * of the next attempt follow. Text, thinking and tool calls are of the last attempt only.
 */
export type ChatEvent =
  | StartEvent
  | QueuedEvent
  | LoadingEvent
  | ThinkingDeltaEvent
  | TextDeltaEvent
  | ToolCallEvent
  | RestartEvent
  | UsageEvent
  | DoneEvent;

/** One try at a request, for `result.attempts` and `error.attempts`. */
export interface Attempt {
  /** Counted from 1. */
  number: number;
  /** HTTP status, when one came back. */
  status?: number | undefined;
  /**
   * Name and port of the host that answered, or of the last one asked when none did. With `severalHosts()` only: one try
   * may ask several. No credentials are ever part of it.
   */
  host?: string | undefined;
  /** Code of the failure; absent on the attempt that succeeded. */
  code?: string | undefined;
  /** It picked up a broken answer instead of asking anew. Such tries do not count against `maxAttempts`. */
  resumed?: true | undefined;
  durationMs: number;
}

/**
 * Where the time of an answer went and what it weighed. The server's own figures where it gives them, else what was
 * measured here; a phase that was neither reported nor seen is absent.
 */
export interface AnswerStats extends Timings {
  /** Output tokens over `decodeMs`. */
  tokensPerSecond?: number | undefined;
  /** Pieces of the connection that were read, over all attempts. */
  chunks: number;
  /** Their size; UTF-16 units where the transport carries text (WebSocket). */
  bytes: number;
  /** Tries, the one that succeeded included. */
  attempts: number;
}

/** A whole answer. */
export interface ChatResult {
  text: string;
  thinking: string;
  toolCalls: ToolCall[];
  finishReason: FinishReason;
  /** Absent when the server counted nothing. */
  usage?: Usage | undefined;
  timings: Timings;
  model: string;
  requestId?: string | undefined;
  attempts: Attempt[];
  stats: AnswerStats;
}

/** What had arrived when a stream broke. */
export interface PartialAnswer {
  text: string;
  thinking: string;
  toolCalls: ToolCall[];
}

/**
 * One answer while it is written. Iterate it once, or await `text()` or `final()`.
 *
 * The request goes out with the first read. A stream that nobody reads sends nothing, and no failure of a stream is ever
 * an unhandled rejection. Only as much is read from the connection as is taken from the stream.
 *
 * Leaving the loop (`break`, `return`, a thrown error), `abort()` and the caller's signal all close the connection, also
 * before the first byte, so the GPU stops.
 */
export interface ChatStream extends AsyncIterable<ChatEvent> {
  /** The whole text. Rejects with a `ZiggieError` that carries what had arrived as `partial`. May be asked for again. */
  text(): Promise<string>;
  /**
   * The whole answer with usage, timings and attempts. May be asked for again, also after a loop over the stream; inside
   * one, do not wait for it: nobody would read on.
   */
  final(): Promise<ChatResult>;
  /** Ends the answer; whoever reads it gets an `AbortedError`. Harmless when it is over already. */
  abort(reason?: unknown): void;
}

/** Options of a single call. */
export interface CallOptions {
  /** Aborts the call in any phase. The error's `cause` is the signal's reason. */
  signal?: AbortSignal | undefined;
  timeouts?: Partial<Timeouts> | undefined;
  retry?: Partial<RetryOptions> | undefined;
  /** Sent along where the target allows it (never directly to Ollama, whose CORS list refuses unknown headers). */
  headers?: Readonly<Record<string, string>> | undefined;
  /** What to do when the answer breaks off after its first token. Default `throw`. See {@link Recovery}. */
  recovery?: Recovery | undefined;
  /**
   * Asks the kit to keep the answer running when the connection breaks, so that it can be picked up again; without it
   * the model stops with the connection. Default `true`. `stop`, `break` and `abort()` still end it at once.
   */
  resume?: boolean | undefined;
  /** Watches this call, after the client's own hooks. */
  hooks?: ClientHooks | readonly ClientHooks[] | undefined;
}

/**
 * What happens when an answer breaks off after its first token, by a failure that is `retryable`; within
 * `retry.maxAttempts`, and after picking up the broken answer was tried where the server allows that.
 *
 * - `throw`: the call fails with what had arrived as `partial`.
 * - `restart`: a `restart` event says that everything before it is void, and the answer of another attempt follows.
 * - `continue`: the model is asked to go on after what it wrote. Only where that is exact: a chat directly with Ollama,
 *   plain text so far, without tools, format or thinking. Otherwise like `throw`.
 */
export type Recovery = 'throw' | 'restart' | 'continue';

/**
 * How long each phase may take, in milliseconds; `Infinity` for no limit. Each limit has its own error code. Apart from
 * `totalMs` only time spent waiting for the server counts, not time in which nobody reads the stream.
 */
export interface Timeouts {
  /**
   * Until the connection stands, a token from a `credentials` function included: `connect_timeout`. Default 10 s.
   *
   * `fetch` does not tell when a connection stands. With it the phase ends with the status line: the kit gets 10 s more
   * and the time of an upload at 64 KiB/s, Ollama sends it with the first token and has no connect limit there.
   */
  connectMs: number;
  /** From the first `loading` until something else comes: `load_timeout`. Default 10 min. */
  loadMs: number;
  /**
   * From the connection to the first token: `first_token_timeout`. Begins anew with every `queued`, and `loading` stops
   * it. Default 10 min: Ollama directly says nothing while it loads, queues and reads the prompt.
   */
  firstTokenMs: number;
  /**
   * Between two pieces of an answer, heartbeats not counted, and for the whole of a list or status: `idle_timeout`.
   * Default 60 s, 180 s with tools or a format (Ollama holds those back until they are whole).
   */
  idleMs: number;
  /** For everything together, retries and the waits between them included: `deadline_exceeded`. Default: no limit. */
  totalMs: number;
}

/**
 * When to try again: failures before the first token (of text, thinking or a tool call) whose error is `retryable`,
 * inside a stream too. Wrong requests never are.
 */
export interface RetryOptions {
  /** All tries together, not counting the one that follows a 401 with a new token. Default 3; 1 turns retrying off. */
  maxAttempts: number;
  /** The wait before retry n is a random part of `baseMs * 2^n`. Default 250 ms. */
  baseMs: number;
  /** Longest such wait. Default 8 s. */
  capMs: number;
  /** Longest `Retry-After` that is obeyed; beyond it the call fails at once with `retryAt` set. Default 60 s. */
  maxRetryAfterMs: number;
  /** How long a broken resumable answer is picked up again, offline time included. Default 5 min. */
  reconnectMs: number;
}

/** The time, replaceable in tests. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back once after `delayMs`; returns how to cancel it. */
  setTimer(callback: () => void, delayMs: number): () => void;
  /**
   * Milliseconds since 1970. Compared with `now` it shows that the machine slept, which monotonic time leaves out.
   * Without it only `now` is looked at.
   */
  wallNow?(): number;
}

/**
 * A token, or where to get one: the function is asked before every attempt, and once more after a 401. An empty string
 * sends none. Keep tokens that live long in the function; nothing is stored here.
 */
export type Credentials = string | (() => string | Promise<string>);

/** Settings of {@link ZiggieClient}. */
export interface ClientOptions {
  /**
   * Where the kit is mounted (`https://app.example/api/llm`), Ollama listens (`http://127.0.0.1:11434`) or an
   * OpenAI-compatible server does, with or without its `/v1`. A path alone (`/api/llm`) is resolved against the page in
   * browsers.
   */
  baseUrl: string;
  /** What answers there. Default `kit`. `openai` is every server that speaks like it: vLLM, llama.cpp, a cloud. */
  target?: 'kit' | 'ollama' | 'openai' | undefined;
  /**
   * How the kit's streams travel: `ndjson` (default), or `sse` where something on the way lets only event streams pass
   * unbuffered. The events are the same.
   */
  framing?: 'ndjson' | 'sse' | undefined;
  /** Sent as `Authorization: Bearer`, only to the origin of `baseUrl`. Never stored. */
  credentials?: Credentials | undefined;
  /** Another fetch. Default: node:http(s) in Node, the global `fetch` elsewhere. */
  fetch?: typeof globalThis.fetch | undefined;
  /**
   * Another way for answers to travel: `webSocketTransport()` of `@ziggie/llm-client/websocket`, or `severalHosts()`.
   * Default: HTTP to `baseUrl`.
   */
  transport?: ClientTransport | undefined;
  timeouts?: Partial<Timeouts> | undefined;
  retry?: Partial<RetryOptions> | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  /** Default for every call. */
  recovery?: Recovery | undefined;
  /** Default for every call. */
  resume?: boolean | undefined;
  /** Watches every call: metrics, traces, a log of your own. See {@link ClientHooks}. */
  hooks?: ClientHooks | readonly ClientHooks[] | undefined;
  /** Told about retries, slow phases and hooks that threw. Default: nothing is printed. */
  logger?: Logger | undefined;
  clock?: Clock | undefined;
  /** Numbers in [0, 1) for jitter. Default `Math.random`. */
  random?: (() => number) | undefined;
}

/**
 * Talks to one server, or to several of a kind. Holds no connection and, but for what it saw of several hosts, no state
 * besides its options: share it, nothing needs closing.
 */
export interface ZiggieClient {
  readonly target: 'kit' | 'ollama' | 'openai';
  /** The first one, where there are several. */
  readonly baseUrl: string;
  chat(request: ChatRequest, options?: CallOptions): ChatStream;
  generate(request: GenerateRequest, options?: CallOptions): ChatStream;
  /**
   * Vectors for texts, in batches and in the order of the texts; each batch is retried for itself.
   *
   * @throws {TypeError} for an empty text or list, at once.
   */
  embed(request: EmbedRequest, options?: CallOptions): Promise<EmbedResult>;
  readonly models: {
    list(options?: CallOptions): Promise<ModelInfo[]>;
  };
  /** `down` only when the server says so; a server that cannot be reached rejects. */
  status(options?: CallOptions): Promise<ServerStatus>;
  /** The server's version, such as `0.33.0`; a hint only, something in between may be newer or older. */
  version(options?: CallOptions): Promise<string>;
}
