import { MAX_RECORD_BYTES } from '@ziggie/llm-protocol';
import { ProgressAttempt, type RecordForm } from '../admin/progress-attempt.ts';
import { type CallScope, newScope } from '../call/call-scope.ts';
import { waitForRetry } from '../call/wait-for-retry.ts';
import { AbortedError } from '../errors/aborted-error.ts';
import { HttpError } from '../errors/http-error.ts';
import { isZiggieError, withCallDetails, type ZiggieError } from '../errors/ziggie-error.ts';
import type { Settings } from '../settings.ts';
import type { HeldRun } from '../stream/held-stream.ts';
import type { CallOptions } from '../types.ts';
import { ResponseError } from './response-error.ts';

/** What is asked. */
export interface RecordRequest {
  path: string;
  body: Readonly<Record<string, unknown>>;
  idleMs: number | undefined;
}

/** Records of Ollama as they are, retried until the first one came. */
export class RecordRun<T extends object> implements HeldRun<T> {
  readonly #scope: CallScope;
  readonly #request: RecordRequest;
  readonly #body: string;
  readonly #form: RecordForm;
  readonly #onEnd: () => void;
  #attempt: ProgressAttempt | undefined;
  #queue: T[] = [];
  #over = false;
  #untold: unknown;

  /** @param onEnd Told once, when the stream holds nothing any more. */
  constructor(settings: Settings, request: RecordRequest, options: CallOptions, onEnd: () => void) {
    const { path, body, idleMs } = request;
    this.#request = request;
    this.#body = JSON.stringify(body);
    this.#onEnd = onEnd;
    const model = typeof body['model'] === 'string' ? body['model'] : undefined;
    const purpose = { operation: path, model, streaming: true };
    this.#scope = newScope(settings, options, purpose, idleMs, (reason) => this.#fail(reason));
    this.#form = {
      isLast: ({ done, done_reason: reason, status }) =>
        done === true || (typeof reason === 'string' && reason !== '') || status === 'success',
      maxRecordBytes: MAX_RECORD_BYTES,
      // Ollama says nothing while it loads and reads the prompt.
      firstMs: this.#scope.timeouts.firstTokenMs,
    };
  }

  /** Resolves when the first record is there. @throws What the call failed with. */
  async open(): Promise<void> {
    if (this.#queue.length === 0 && !this.#over) await this.#readNext();
    if (this.#untold !== undefined) throw this.#told();
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    if (this.#queue.length === 0 && !this.#over) await this.#readNext();
    const value = this.#queue.shift();
    if (value) return { done: false, value };
    if (this.#untold !== undefined) throw this.#told();
    return { done: true, value: undefined };
  }

  leave(reason: unknown): void {
    this.abort(reason);
    this.#untold = undefined;
  }

  abort(reason?: unknown): void {
    this.#scope.stop(new AbortedError(reason));
  }

  async #readNext(): Promise<void> {
    const scope = this.#scope;
    let begun = this.#attempt !== undefined;
    try {
      await scope.begin();
      for (;;) {
        this.#attempt ??= new ProgressAttempt(scope, this.#request.path, this.#body, this.#form);
        const attempt = this.#attempt;
        try {
          const records = (await attempt.read()) as T[];
          if (!this.#over) this.#take(records);
          return;
        } catch (error) {
          if (!isZiggieError(error) || this.#over || begun) throw error;
          this.#attempt = undefined;
          attempt.close(error);
          begun = false;
          await waitForRetry(scope, error);
        }
      }
    } catch (error) {
      this.#fail(error as ZiggieError);
    }
  }

  #take(records: T[]): void {
    this.#queue = records;
    if (!this.#form.isLast(records.at(-1) as Readonly<Record<string, unknown>>)) return;
    this.#attempt?.close();
    const { tell, attempts } = this.#end();
    tell('done', { attempts });
  }

  #fail(error: ZiggieError): void {
    if (this.#over) return;
    this.#queue = [];
    this.#attempt?.close(error);
    const { tell, attempts } = this.#end();
    if (isZiggieError(error)) {
      withCallDetails(error, { attempts });
      tell('error', { error });
    }
    this.#untold = error;
  }

  #end(): CallScope {
    this.#over = true;
    this.#scope.end();
    this.#onEnd();
    return this.#scope;
  }

  #told(): unknown {
    const error = this.#untold;
    this.#untold = undefined;
    return inTheirWords(error);
  }
}

/** A report of the server in the form that users of `ollama` know; everything else as it is. */
export function inTheirWords(error: unknown): unknown {
  return error instanceof HttpError
    ? withCallDetails(new ResponseError(error), { attempts: error.attempts, partial: error.partial })
    : error;
}
