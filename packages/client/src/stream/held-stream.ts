import { dropped, type Endable } from './dropped.ts';

/** What brings the items of a {@link HeldStream}. */
export interface HeldRun<T> extends Endable {
  next(): Promise<IteratorResult<T, undefined>>;
  /** For a reader who asks for nothing more, not even why it ended. */
  leave(reason: unknown): void;
}

/**
 * The stream that a caller holds. Nothing of the run behind it may point back here, so that a stream which nobody holds
 * any more can be collected, and its connection closed.
 */
export abstract class HeldStream<T, Run extends HeldRun<T>> implements AsyncIterator<T, undefined> {
  protected readonly run: Run;

  constructor(run: Run) {
    this.run = run;
  }

  abort(reason?: unknown): void {
    this.run.abort(reason);
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    let isOver = true;
    try {
      const step = await this.run.next();
      isOver = step.done === true;
      return step;
    } finally {
      // A wait holds this object: what is waited for is not dropped.
      if (isOver) dropped.unregister(this);
    }
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    dropped.unregister(this);
    this.run.leave(new Error('The loop was left.'));
    return { done: true, value: undefined };
  }

  /** From here on the connection is open, or may be. */
  protected begin(): void {
    dropped.register(this, this.run, this);
  }
}
