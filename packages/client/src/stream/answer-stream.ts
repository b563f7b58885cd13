import type { Settings } from '../settings.ts';
import type { CallOptions, ChatEvent, ChatResult, ChatStream } from '../types.ts';
import { AnswerRun, type AskedQuestion } from './answer-run.ts';
import { dropped } from './dropped.ts';

/** One for all streams. While an object of this form lives, so does the code that the engine made for the others. */
const over: IteratorResult<ChatEvent, undefined> = { done: true, value: undefined };

/**
 * The stream that a caller holds. Nothing of the run behind it points back here, so that a stream which nobody holds any
 * more can be collected, and its connection closed.
 */
export class AnswerStream implements ChatStream, AsyncIterator<ChatEvent> {
  readonly #run: AnswerRun;
  readonly #onPulled = ():
    | IteratorResult<ChatEvent, undefined>
    | Promise<IteratorResult<ChatEvent, undefined>> => {
    const value = this.#run.shift();
    if (value) return { done: false, value };
    let isOver = true;
    try {
      isOver = this.#run.isOver;
    } finally {
      if (isOver) dropped.unregister(this);
    }
    // Two reads at once share what comes: the second waits for more.
    return isOver ? over : this.next();
  };
  #reader: 'none' | 'iterator' | 'result' = 'none';

  constructor(settings: Settings, asked: AskedQuestion, options: CallOptions, idleMs: number | undefined) {
    this.#run = new AnswerRun(settings, asked, options, idleMs);
  }

  async text(): Promise<string> {
    return (await this.final()).text;
  }

  final(): Promise<ChatResult> {
    if (this.#reader === 'none') {
      this.#reader = 'result';
      void this.#run.readAll();
    }
    return this.#run.result;
  }

  abort(reason?: unknown): void {
    this.#run.abort(reason);
  }

  [Symbol.asyncIterator](): AsyncIterator<ChatEvent> {
    if (this.#reader !== 'none') {
      throw new TypeError('Iterating an answer: it is read already. Call chat() again.');
    }
    this.#reader = 'iterator';
    dropped.register(this, this.#run, this);
    return this;
  }

  next(): Promise<IteratorResult<ChatEvent, undefined>> {
    const value = this.#run.shift();
    // A wait holds this object: what is waited for is not dropped.
    return value ? Promise.resolve({ done: false, value }) : this.#run.pull(this.#onPulled);
  }

  /** What `break` and `return` in a loop call: closes the connection. */
  return(): Promise<IteratorResult<ChatEvent, undefined>> {
    this.#leave(new Error('The loop over the answer was left.'));
    return Promise.resolve(over);
  }

  /** For loops written by hand: ends the answer like `return` and passes the error on. */
  throw(error?: unknown): Promise<never> {
    this.#leave(error);
    return Promise.reject(error);
  }

  #leave(reason: unknown): void {
    dropped.unregister(this);
    this.#run.leave(reason);
  }
}
