import type { ErrorCode, ModelInfo, Problem, ServerStatus, StreamEventBody } from '@ziggie/llm-protocol';

/** What a failed answer says, in the words of the error table. */
export interface ReportedFailure {
  code: ErrorCode;
  /** For people. `undefined` when the server gave nothing fit to show. */
  text: string | undefined;
  retryable: boolean;
  retryAfterMs?: number | undefined;
  requestId?: string | undefined;
  problem?: Problem | undefined;
  signinUrl?: string | undefined;
}

/** Turns the records of one answer into events. Stateful, one per attempt. */
export interface RecordDecoder {
  /** Whether the terminal record was seen. */
  readonly ended: boolean;
  /** @throws {ProtocolError} when the record is not what the protocol allows. */
  decode(record: unknown): StreamEventBody[];
}

/** Everything that differs between the servers we talk to. */
export interface Target {
  readonly name: 'kit' | 'ollama';
  readonly paths: { chat: string; generate: string; status: string };
  /** Whether headers other than `Content-Type` and `Authorization` may be sent. */
  readonly takesOwnHeaders: boolean;
  /**
   * How long after the connection the status line may take, or `undefined` when it comes with the first token only.
   */
  readonly headersWithinMs: number | undefined;
  decoder(model: string): RecordDecoder;
  readFailure(status: number, body: string): ReportedFailure;
  /** @param get Fetches a path as JSON and reads it; `ProtocolError`s of the reader become failures of the call. */
  listModels(get: GetJson): Promise<ModelInfo[]>;
  /** @throws {ProtocolError} when the body is not a status. */
  readStatus(body: unknown): ServerStatus;
}

/** Fetches a path and makes something of its parsed body. */
export type GetJson = <T>(path: string, read: (body: unknown) => T) => Promise<T>;
