import type { Settings } from '../settings.ts';
import { dropped } from '../stream/dropped.ts';
import type { CallOptions } from '../types.ts';
import { type ProgressRequest, ProgressRun } from './progress-run.ts';
import type { ModelProgress, ProgressStream } from './types.ts';

/**
 * The stream that a caller holds. Nothing of the run behind it points back here, so that a stream which nobody holds any
 * more can be collected, and its connection closed.
 */
export class OpenProgress implements ProgressStream, AsyncIterator<ModelProgress> {
  readonly #run: ProgressRun;
  #reader: 'none' | 'iterator' | 'result' = 'none';

  constructor(settings: Settings, request: ProgressRequest, options: CallOptions) {
    this.#run = new ProgressRun(settings, request, options);
  }

  final(): Promise<ModelProgress> {
    if (this.#reader === 'none') {
      this.#reader = 'result';
      void this.#run.readAll();
    }
    return this.#run.result;
  }

  abort(reason?: unknown): void {
    this.#run.abort(reason);
  }

  [Symbol.asyncIterator](): AsyncIterator<ModelProgress> {
    if (this.#reader !== 'none') {
      throw new TypeError('Iterating a progress: it is being read already. Ask for another.');
    }
    this.#reader = 'iterator';
    dropped.register(this, this.#run, this);
    return this;
  }

  async next(): Promise<IteratorResult<ModelProgress, undefined>> {
    let isOver = true;
    try {
      const step = await this.#run.next();
      isOver = step.done === true;
      return step;
    } finally {
      // A wait holds this object: what is waited for is not dropped.
      if (isOver) dropped.unregister(this);
    }
  }

  return(): Promise<IteratorResult<ModelProgress, undefined>> {
    dropped.unregister(this);
    this.#run.leave(new Error('The loop over the progress was left.'));
    return Promise.resolve({ done: true, value: undefined });
  }
}
