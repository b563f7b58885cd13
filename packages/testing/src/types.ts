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
}

/** One step of a scripted answer. Made by `say think callTool stall cut error garbage slow huge`. */
export type Step =
  | { kind: 'say'; text: string }
  | { kind: 'think'; text: string }
  | { kind: 'callTool'; name: string; arguments: Record<string, unknown> }
  /** Silence for this long; without a length, until the client leaves. */
  | { kind: 'stall'; ms: number | undefined }
  /** The stream ends here without a last record: cleanly (`end`) or by resetting the connection (`reset`). */
  | { kind: 'cut'; how: 'end' | 'reset' }
  /** Before any record a real HTTP answer with `status`; after one, an error line in the stream. */
  | {
      kind: 'error';
      message: string;
      status: number;
      body: string | undefined;
      headers: Record<string, string>;
    }
  /** Raw bytes in the stream, as they are. */
  | { kind: 'garbage'; bytes: string | Uint8Array }
  /** From here on, this pace. */
  | { kind: 'slow'; tokensPerSecond: number }
  /** One record with this many characters of text. */
  | { kind: 'huge'; characters: number };

export type Script = readonly Step[];

/** Which requests a script answers. Everything given must fit. */
export interface ScriptMatch {
  model?: string | undefined;
  /** Found in the last user message or the prompt. */
  contains?: string | undefined;
  /** How many requests it answers before it is used up. Default 1; `Infinity` for all. */
  times?: number | undefined;
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
  /** Default `0.33.0`. */
  version?: string | undefined;
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

/** The stand-in in process. */
export interface FakeOllama {
  /** Answers a request as Ollama would. Pass it as `fetch` to a client, or mount it in a server. */
  fetch(input: Request | string | URL, init?: RequestInit): Promise<Response>;
  /** The next fitting chat or generate request is answered by this script instead of the built-in answers. */
  script(steps: Script | Step, match?: ScriptMatch): void;
  report(): FakeReport;
  /** Ends open requests, forgets scripts and the report, frees all slots and memory. */
  reset(): void;
  /** Resolves when the condition holds, checked on every change inside; rejects after `timeoutMs` of real time (5 s). */
  waitFor(condition: (report: FakeReport) => boolean, timeoutMs?: number): Promise<void>;
}

/** The stand-in on a socket. */
export interface FakeOllamaServer {
  /** Such as `http://127.0.0.1:49152`. */
  url: string;
  port: number;
  fake: FakeOllama;
  /** Closes the socket and every connection, as if the process died. */
  close(): Promise<void>;
}
