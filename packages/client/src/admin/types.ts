import type { ModelInfo } from '@ziggie/llm-protocol';
import type { CallOptions } from '../types.ts';

/** One layer of a model on its way. */
export interface LayerProgress {
  /** Behind a kit: which of its model servers. */
  host?: string | undefined;
  /** As the server names it, such as `sha256:6a0746a1ec1a…`. */
  digest: string;
  totalBytes: number;
  /** Never goes back, though what the server reports may. */
  completedBytes: number;
}

/** How far a pull, push or create is. */
export interface ModelProgress {
  /** The server's own words, such as `pulling manifest` or `verifying sha256 digest`. */
  status: string;
  /** `preparing` until bytes move, `transferring` while they do, `finishing` after them, `done` at the end. */
  phase: 'preparing' | 'transferring' | 'finishing' | 'done';
  /**
   * Of the whole, from 0 to 1; `null` before the first size is known. It never goes back, not even when another layer
   * turns up or the connection is cut, and it is 1 at the end only.
   */
  fraction: number | null;
  /** Of all layers known so far. */
  completedBytes: number;
  totalBytes: number;
  /** Over the last 5 s, without what was there before; `null` until bytes have moved for half a second. */
  bytesPerSecond: number | null;
  /** For the layers known so far, at that speed. */
  etaMs: number | null;
  layers: readonly LayerProgress[];
}

/**
 * A pull, push or create under way. Iterate it once, or await `final()`; the request goes out with either.
 *
 * Leaving the loop, `abort()` and the caller's signal close the connection, and the server stops. What it has stays with
 * it: the same request later goes on from there, and that is also what happens by itself when the connection is cut.
 */
export interface ProgressStream extends AsyncIterable<ModelProgress> {
  /** The last progress, once all is done. May be asked for again. */
  final(): Promise<ModelProgress>;
  /** Whoever reads it gets an `AbortedError`. Harmless when it is over already. */
  abort(reason?: unknown): void;
}

/** On which model servers of a kit. */
export interface HostOptions {
  /** By their ids. Default: as the method says. Ollama itself is one server: there it is refused. */
  hosts?: readonly string[] | undefined;
}

/** Options of a pull or push. */
export interface TransferOptions extends CallOptions, HostOptions {
  /** Takes any certificate of the registry. Only for one of your own. Default `false`. */
  insecure?: boolean | undefined;
}

/** A model to be made. One of `from` and `files` is needed. */
export interface CreateModelRequest {
  model: string;
  /** An existing model to begin with. */
  from?: string | undefined;
  /** File names and the digests of their blobs, see `putBlob`. */
  files?: Readonly<Record<string, string>> | undefined;
  /** LoRA adapters, the same way. */
  adapters?: Readonly<Record<string, string>> | undefined;
  template?: string | undefined;
  system?: string | undefined;
  license?: string | readonly string[] | undefined;
  /** Default options, such as `{ temperature: 0.2 }`. */
  parameters?: Readonly<Record<string, unknown>> | undefined;
  /** Messages that every conversation begins with. */
  messages?: readonly { role: string; content: string }[] | undefined;
  /** Such as `q4_K_M`. */
  quantize?: string | undefined;
}

/** A model in memory. */
export interface RunningModel {
  name: string;
  /** Memory it takes in all, and the part of it on GPUs. `null` where the server does not say. */
  sizeBytes: number | null;
  sizeVramBytes: number | null;
  /** ISO 8601; a time in the past means that it is being unloaded. */
  expiresAt: string | null;
  /** What one request may use, in tokens. */
  contextLength: number | null;
}

/** A model on the model servers of a kit. */
export interface FleetModel extends Omit<ModelInfo, 'loaded' | 'aliases'> {
  hosts: readonly {
    host: string;
    memory: 'loaded' | 'loading' | 'absent' | 'unknown';
    sizeVramBytes: number | null;
    /** ISO 8601. */
    expiresAt: string | null;
    /** Answers of it that are being written there. */
    inFlight: number;
    /** How long a load of it took there, the median of the last ones. */
    typicalLoadMs: number | null;
  }[];
}

/** What the model servers of a kit have. */
export interface Fleet {
  models: readonly FleetModel[];
  /** Ids of those that do not answer. */
  unreachable: readonly string[];
}

/** A pull through a kit. */
export interface PullInfo {
  id: string;
  model: string;
  state: 'running' | 'done' | 'failed' | 'cancelled';
  /** ISO 8601. */
  startedAt: string;
  endedAt: string | null;
  hosts: readonly { host: string; state: PullInfo['state']; code?: string | undefined }[];
}

/** Everything Ollama tells about one model. Members that it did not send are absent. */
export interface ModelDetails extends Omit<ModelInfo, 'loaded' | 'aliases' | 'sizeBytes'> {
  license?: string | undefined;
  /** May hold paths of the server. */
  modelfile?: string | undefined;
  /** Lines of `name value`. */
  parameters?: string | undefined;
  template?: string | undefined;
  system?: string | undefined;
  messages?: readonly { role: string; content: string }[] | undefined;
  modifiedAt?: string | undefined;
  /** Keys of the file format, such as `llama.context_length`. */
  info: Readonly<Record<string, unknown>>;
  /** With `verbose`: the tensors. Hundreds of them. */
  tensors?: readonly unknown[] | undefined;
}

/** Manages the models of a server. */
export interface Admin {
  /**
   * Brings a model from the registry, with progress. Behind a kit: to every model server, unless `hosts` names some.
   *
   * @example
   * for await (const { fraction, etaMs } of admin.pull('llama3.2')) draw(fraction, etaMs);
   */
  pull(model: string, options?: TransferOptions): ProgressStream;
  /** Sends a model to the registry. */
  push(model: string, options?: TransferOptions): ProgressStream;
  /** Makes a model out of another one or of blobs. */
  create(request: CreateModelRequest, options?: CallOptions): ProgressStream;
  /** Gives a model a second name. */
  copy(source: string, destination: string, options?: CallOptions): Promise<void>;
  /** Behind a kit: from every model server that has it, unless `hosts` names some. */
  delete(model: string, options?: CallOptions & HostOptions): Promise<void>;
  /** What the server knows about one model. */
  show(model: string, options?: CallOptions & { verbose?: boolean | undefined }): Promise<ModelDetails>;
  /** The models in memory. */
  running(options?: CallOptions): Promise<RunningModel[]>;
  /**
   * Brings a model into memory; resolves when it is there. `timeouts.loadMs` is its limit. A kit picks the model server,
   * unless `hosts` names some.
   *
   * `keepAlive`: how long it stays, as seconds or a Go duration such as `10m`; `-1` for ever.
   */
  load(
    model: string,
    options?: CallOptions & HostOptions & { keepAlive?: number | string | undefined },
  ): Promise<void>;
  /** Takes a model out of memory as soon as its running answers are over; does not wait for that. */
  unload(model: string, options?: CallOptions & HostOptions): Promise<void>;
  /** Behind a kit: which model server has which model, and in memory. */
  fleet(options?: CallOptions): Promise<Fleet>;
  /** Behind a kit: the pulls that go on and the last ones that are over, the newest first. */
  pulls(options?: CallOptions): Promise<readonly PullInfo[]>;
  /** Behind a kit: ends a pull, whoever began it. What has arrived stays with the model servers. */
  cancelPull(id: string, options?: CallOptions): Promise<void>;
  /** Whether the server holds a blob. @throws {TypeError} unless the digest is `sha256:` and 64 hex digits. */
  hasBlob(digest: string, options?: CallOptions): Promise<boolean>;
  /**
   * Sends a file for `create`. Without a digest it is computed here, which takes the whole file into memory.
   *
   * @returns The digest, `sha256:…`.
   */
  putBlob(
    data: Blob | Uint8Array<ArrayBuffer>,
    options?: CallOptions & { digest?: string | undefined },
  ): Promise<string>;
}
