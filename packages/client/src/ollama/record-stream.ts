import { dropped } from '../stream/dropped.ts';
import type { RecordRun } from './record-run.ts';

/**
 * The stream that a caller holds, its first record read already. Nothing of the run behind it points back here, so that a
 * stream which nobody holds any more can be collected, and its connection closed.
 */
export class RecordStream<T extends object> implements AsyncIterableIterator<T, undefined> {
  readonly #run: RecordRun<T>;

  constructor(run: RecordRun<T>) {
    this.#run = run;
    dropped.register(this, run, this);
  }

  abort(reason?: unknown): void {
    this.#run.abort(reason);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<T, undefined>> {
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

  return(): Promise<IteratorResult<T, undefined>> {
    dropped.unregister(this);
    return this.#run.return();
  }
}
