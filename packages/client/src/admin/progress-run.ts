import { type CallScope, newScope } from '../call/call-scope.ts';
import { waitForRetry } from '../call/wait-for-retry.ts';
import { AbortedError } from '../errors/aborted-error.ts';
import { isZiggieError, withCallDetails, type ZiggieError } from '../errors/ziggie-error.ts';
import { retryRules } from '../retry/retry-rules.ts';
import type { Settings } from '../settings.ts';
import type { HeldRun } from '../stream/held-stream.ts';
import type { CallOptions } from '../types.ts';
import { ProgressAttempt } from './progress-attempt.ts';
import { ProgressTracker } from './progress-tracker.ts';
import { explained } from './refusal.ts';
import type { ModelProgress } from './types.ts';

/** Checking the sum of a large layer says nothing for minutes. */
const IDLE_MS = 600_000;

/** What is asked; a reason instead of it fails the stream at its first read. */
export interface ProgressRequest {
  operation: string;
  model: string;
  path: string;
  body: object;
  refusal?: ZiggieError | undefined;
}

/** A pull, push or create over all its attempts. Lazy and pull based, like an answer. */
export class ProgressRun implements HeldRun<ModelProgress> {
  readonly #scope: CallScope;
  readonly #request: ProgressRequest;
  readonly #body: string;
  readonly #tracker = new ProgressTracker();
  readonly result: Promise<ModelProgress>;
  #resolve!: (last: ModelProgress) => void;
  #reject!: (error: ZiggieError) => void;
  #attempt: ProgressAttempt | undefined;
  /** Attempts in a row that moved nothing, and whether the present one did. */
  #idleAttempts = 0;
  #moved = false;
  #queue: ModelProgress[] = [];
  #last: ModelProgress | undefined;
  #over = false;
  #untold: ZiggieError | undefined;

  constructor(settings: Settings, request: ProgressRequest, options: CallOptions) {
    const { operation, model } = request;
    this.#request = request;
    this.#body = JSON.stringify(request.body);
    this.#scope = newScope(settings, options, { operation, model, streaming: true }, IDLE_MS, (reason) =>
      this.#fail(reason),
    );
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.result.catch(() => {});
  }

  abort(reason?: unknown): void {
    this.#scope.stop(new AbortedError(reason));
  }

  async next(): Promise<IteratorResult<ModelProgress, undefined>> {
    for (;;) {
      const value = this.#queue.shift();
      if (value) return { done: false, value };
      if (this.#over) break;
      await this.#readNext();
    }
    const error = this.#untold;
    this.#untold = undefined;
    if (error) throw error;
    return { done: true, value: undefined };
  }

  leave(reason: unknown): void {
    this.abort(reason);
    this.#untold = undefined;
  }

  async readAll(): Promise<void> {
    while (!this.#over) {
      await this.#readNext();
      this.#queue = [];
    }
  }

  async #readNext(): Promise<void> {
    const scope = this.#scope;
    try {
      await scope.begin();
      if (this.#request.refusal) throw this.#request.refusal;
      this.#attempt ??= new ProgressAttempt(scope, this.#request.path, this.#body);
      const attempt = this.#attempt;
      try {
        const records = await attempt.read();
        if (!this.#over) this.#take(records, attempt);
      } catch (error) {
        if (!isZiggieError(error) || this.#over) throw error;
        this.#attempt = undefined;
        attempt.close(error);
        this.#tracker.restart();
        this.#idleAttempts =
          this.#moved && retryRules(scope.settings, scope.options).maxAttempts > 1
            ? 0
            : this.#idleAttempts + 1;
        this.#moved = false;
        await waitForRetry(scope, error, this.#idleAttempts);
      }
    } catch (error) {
      this.#fail(explained(error, scope.settings.target.name) as ZiggieError);
    }
  }

  #take(records: Awaited<ReturnType<ProgressAttempt['read']>>, attempt: ProgressAttempt): void {
    for (const record of records) {
      const before = this.#last?.completedBytes ?? 0;
      this.#last = this.#tracker.add(record, this.#scope.settings.clock.now());
      if (this.#last.completedBytes > before) this.#moved = true;
      this.#queue.push(this.#last);
    }
    if (this.#last?.phase !== 'done') return;
    this.#over = true;
    attempt.close();
    this.#scope.end();
    this.#resolve(this.#last);
    const { tell, attempts } = this.#scope;
    tell('done', { attempts });
  }

  #fail(error: ZiggieError): void {
    if (this.#over) return;
    this.#over = true;
    this.#queue = [];
    this.#attempt?.close(error);
    this.#scope.end();
    const { tell, attempts } = this.#scope;
    withCallDetails(error, { attempts });
    this.#untold = error;
    this.#reject(error);
    tell('error', { error });
  }
}
