import type {
  ChatRequest,
  ErrorCode,
  GenerateRequest,
  ModelInfo,
  Problem,
  ServerStatus,
  StreamEventBody,
} from '@ziggie/llm-protocol';

/** What a failed answer says, in the words of the error table. */
export interface ReportedFailure {
  code: ErrorCode;
  /** For people. `undefined` when the server gave nothing fit to show. */
  text: string | undefined;
  retryable: boolean;
  retryAfterMs?: number | undefined;
  /** As the server sent it. */
  requestId?: unknown;
  problem?: Problem | undefined;
  signinUrl?: string | undefined;
}

/** Turns the records of one answer into events. Stateful, one per attempt. */
export interface AnswerDecoder {
  /** Whether the terminal record was seen. What follows it is not read. */
  readonly ended: boolean;
  /** Number of the last event, where the wire numbers them: a broken answer is picked up after it. */
  readonly lastSeq?: number | undefined;
  /**
   * Reads the text of one record and adds its events; the members of an `error` may still be as they came.
   *
   * @throws {ProtocolError} when it is not what the protocol allows.
   */
  read(record: string, events: StreamEventBody[]): void;
  /** Adds what only the end of the body tells, where a dialect may leave out its terminal record. */
  end?(events: StreamEventBody[]): void;
}

/** What is sent for a question. */
export interface Question {
  path: string;
  body: object;
}

/** How questions are put to a server and its answers read: what every answer needs. */
export interface Speech {
  chat(request: ChatRequest): Question;
  generate(request: GenerateRequest): Question;
  decoder(model: string): AnswerDecoder;
}

/** How what a server tells of itself is asked for and read. */
export interface Reports {
  readonly statusPath: string;
  /** @param get Fetches a path as JSON and reads it; `ProtocolError`s of the reader become failures of the call. */
  listModels(get: GetJson): Promise<ModelInfo[]>;
  /** @throws {ProtocolError} when the body is not a status. */
  readStatus(body: unknown): ServerStatus;
}

/** Everything that is said and read. */
export interface Dialect extends Speech {
  readFailure(status: number, body: string): ReportedFailure;
}

export type TargetName = 'kit' | 'ollama' | 'openai';

/** Everything that differs between the servers we talk to: at hand what is needed at once, the rest loaded with its first use. */
export interface Target {
  readonly name: TargetName;
  /** What a stream is asked for with `Accept`. */
  readonly accept: string;
  /** Whether headers other than `Content-Type` and `Authorization` may be sent. */
  readonly takesOwnHeaders: boolean;
  /**
   * How long after the connection the status line may take, left out when it comes with the first token only.
   */
  readonly headersWithinMs?: number | undefined;
  /** The address that paths are appended to, from the one the caller gave. */
  baseUrl(given: string): string;
  /** How a question of this kind is put: at hand from the second one on, if not from the first. */
  speech(operation: 'chat' | 'generate'): Speech | Promise<Speech>;
  dialect(): Promise<Dialect>;
}

/** Fetches a path and makes something of its parsed body. */
export type GetJson = <T>(path: string, read: (body: unknown) => T) => Promise<T>;
