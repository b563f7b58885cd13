import type { ChatRequest } from '@ziggie/llm-protocol';
import type { OutputIssue } from '../errors/output-error.ts';
import type { StandardSchema } from '../schema/standard-schema.ts';
import type { CallOptions, ChatResult } from '../types.ts';

/** A value that is still being written: any member may be missing, and strings and lists may go on. */
export type DeepPartial<T> = T extends readonly (infer Item)[]
  ? DeepPartial<Item>[]
  : T extends object
    ? { [Name in keyof T]?: DeepPartial<T[Name]> | undefined }
    : T;

/** A question whose answer is a value. Give `messages`, or a `prompt` alone. */
export type ObjectRequest<Schema extends StandardSchema> = Omit<
  ChatRequest,
  'format' | 'tools' | 'messages'
> & {
  /** Any Standard Schema. The value is what it gives. */
  schema: Schema;
  /** What the model is held to; needed when the schema's library cannot say it itself (valibot). */
  jsonSchema?: Record<string, unknown> | undefined;
} & ({ messages: ChatRequest['messages']; prompt?: undefined } | { prompt: string; messages?: undefined });

/** Options of `object()`. `timeouts.totalMs` spans all tries, the other timeouts each request. */
export interface ObjectOptions extends CallOptions {
  /** How often the model is asked again with what was wrong. Default 2; 0 turns it off. */
  repairs?: number | undefined;
}

/** A try that did not fit. */
export interface FailedTry {
  text: string;
  issues: readonly OutputIssue[];
}

/** The value and how it came about; usage, timings and attempts are of all tries together. */
export interface ObjectResult<Value> extends Omit<ChatResult, 'toolCalls'> {
  value: Value;
  /** The tries before the one that fits. */
  failedTries: FailedTry[];
}

/**
 * A value while it is written. Iterate it for what is known so far: the same object grows from one step to the next, so
 * that a long answer costs no more than its length; copy what you keep (`structuredClone`). A new try begins with a new
 * object. What comes out of the loop was not checked; `value()` was.
 */
export interface ObjectStream<Value, Part> extends AsyncIterable<Part> {
  /** The whole value, checked. Rejects with an `OutputError` when no try fits. */
  value(): Promise<Value>;
  final(): Promise<ObjectResult<Value>>;
  abort(reason?: unknown): void;
}
