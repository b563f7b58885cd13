import type { Settings } from '../settings.ts';
import { HeldStream } from '../stream/held-stream.ts';
import type { CallOptions } from '../types.ts';
import { type ProgressRequest, ProgressRun } from './progress-run.ts';
import type { ModelProgress, ProgressStream } from './types.ts';

/** The progress of a pull, push or create as a caller holds it: read by a loop or for its end, not by both. */
export class OpenProgress extends HeldStream<ModelProgress, ProgressRun> implements ProgressStream {
  #reader: 'none' | 'iterator' | 'result' = 'none';

  constructor(settings: Settings, request: ProgressRequest, options: CallOptions) {
    super(new ProgressRun(settings, request, options));
  }

  final(): Promise<ModelProgress> {
    if (this.#reader === 'none') {
      this.#reader = 'result';
      void this.run.readAll();
    }
    return this.run.result;
  }

  [Symbol.asyncIterator](): AsyncIterator<ModelProgress> {
    if (this.#reader !== 'none') {
      throw new TypeError('Iterating a progress: it is being read already. Ask for another.');
    }
    this.#reader = 'iterator';
    this.begin();
    return this;
  }
}
