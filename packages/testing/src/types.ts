import type { Script, ScriptMatch, Step } from './script/step-types.ts';

/** Where time comes from: the stand-in paces its tokens with it. Tests pass a manual one. */
export interface FakeClock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back once after `delayMs`; returns how to cancel it. A `background` timer need not keep a process alive. */
  setTimer(callback: () => void, delayMs: number, background?: boolean): () => void;
}

/** A clock that stands still until `advance` moves it. */
export interface ManualClock extends FakeClock {
  /** Moves on, running what falls due in order; resolves when promises have settled after the last of it. */
  advance(ms: number): Promise<void>;
  /** Timers that wait. */
  readonly pending: number;
}

/** One model that the stand-in has "installed". */
export interface FakeModel {
  /** With or without tag; `:latest` is added. */
  name: string;
  /** Default `['completion']`. */
  capabilities?: readonly string[] | undefined;
  family?: string | undefined;
  parameterSize?: string | undefined;
  quantization?: string | undefined;
  sizeBytes?: number | undefined;
  contextLength?: number | undefined;
  /** Numbers in one of its vectors. Default 256. */
  embeddingLength?: number | undefined;
  /**
   * How Ollama runs it since v0.30. `native` is llama-server's own chat: tool calls come on the last record and a prompt
   * that is too long is refused. Default `rendered`.
   */
  chatPath?: 'rendered' | 'native' | undefined;
}

/** Settings of the stand-in. */
export interface FakeOllamaOptions {
  /** Default: `stand-in`, `stand-in-thinking`, `stand-in-vision`, `stand-in-embed`. */
  models?: readonly (string | FakeModel)[] | undefined;
  /** Tokens a second for each slot. Default 40; `Infinity` answers at once, which most tests want. */
  tokensPerSecond?: number | undefined;
  /** How long a model takes to load. Default 0. */
  loadMs?: number | undefined;
  /** How long it reads per prompt token, as time to the first token. Default 0. */
  prefillMsPerToken?: number | undefined;
  /** Slots per loaded model, `OLLAMA_NUM_PARALLEL`. Default 1, as Ollama's. */
  slotsPerModel?: number | undefined;
  /** Models in memory at once. One more evicts an idle one, else the one with the shortest keep_alive. Default 3. */
  maxLoadedModels?: number | undefined;
  /** Requests waiting for the scheduler before 503, `OLLAMA_MAX_QUEUE`. Default 512. */
  maxQueue?: number | undefined;
  /** How long a model stays in memory when no request says so, `OLLAMA_KEEP_ALIVE`. Default 300,000 (5 minutes). */
  defaultKeepAliveMs?: number | undefined;
  /** Default `0.33.0`. */
  version?: string | undefined;
  /**
   * What `pull` can fetch. Default: the stand-in's own models and a handful of well-known ones (llama3.2, qwen3, gemma3,
   * nomic-embed-text, all-minilm). Any other name is a manifest that does not exist.
   */
  registry?: readonly (string | FakeModel)[] | undefined;
  /** Pace of pull and push. Default 50,000,000; `Infinity` for at once. */
  pullBytesPerSecond?: number | undefined;
  /** `OLLAMA_NO_CLOUD`: models of the cloud are refused with 403. Otherwise with 401, for nobody is signed in. */
  cloudDisabled?: boolean | undefined;
  clock?: FakeClock | undefined;
}

/** One request as the stand-in saw it. */
export interface SeenRequest {
  /** Counted from 1 in order of arrival. */
  id: number;
  method: string;
  path: string;
  headers: Readonly<Record<string, string>>;
  /** Parsed JSON body, if there was one. */
  body: unknown;
  /** Clock times in ms; `undefined` while it has not happened. The end is the last record, or the client leaving. */
  startedAt: number;
  firstByteAt: number | undefined;
  endedAt: number | undefined;
  /** When the client left before the end. */
  disconnectedAt: number | undefined;
  /** Records sent so far. */
  records: number;
}

/** What the stand-in saw, for assertions. */
export interface FakeReport {
  /** The newest 1,000, oldest first. */
  requests: readonly SeenRequest[];
  /** Generations that hold a slot right now. 0 after a stop, or the GPU still works. */
  openGenerations: number;
  /** Requests waiting for a slot or a load. */
  waiting: number;
  /** Requests whose client left before the end. */
  disconnects: readonly SeenRequest[];
  /** Names of the models in memory. */
  loaded: readonly string[];
}

/** A stand-in in process. */
export interface Fake {
  /** Answers a request as the real server would. Pass it as `fetch` to a client, or mount it in a server. */
  fetch(input: Request | string | URL, init?: RequestInit): Promise<Response>;
  /**
   * The next fitting chat or generate request is answered by this script instead of the built-in answers; with `path` the
   * next request for that path.
   */
  script(steps: Script | Step, match?: ScriptMatch): void;
  report(): FakeReport;
  /** Ends open requests, forgets scripts and the report, frees all slots and memory. */
  reset(): void;
  /** Resolves when the condition holds, checked on every change inside; rejects after `timeoutMs` of real time (5 s). */
  waitFor(condition: (report: FakeReport) => boolean, timeoutMs?: number): Promise<void>;
}

/** The stand-in for Ollama. */
export type FakeOllama = Fake;

/** The stand-in for a server that speaks OpenAI's dialect. */
export type FakeOpenAI = Fake;

/** A stand-in on a socket. */
export interface FakeServer {
  /** Such as `http://127.0.0.1:49152`. */
  url: string;
  port: number;
  fake: Fake;
  /** Closes the socket and every connection, as if the process died; `up` starts it again on the same port. */
  down(): Promise<void>;
  /** Listens again after `down`. */
  up(): Promise<void>;
  /** Closes the socket and every connection for good. */
  close(): Promise<void>;
}

export type FakeOllamaServer = FakeServer;
export type FakeOpenAIServer = FakeServer;
