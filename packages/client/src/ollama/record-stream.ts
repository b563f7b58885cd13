import { HeldStream } from '../stream/held-stream.ts';
import type { RecordRun } from './record-run.ts';

/** The records of Ollama as a caller holds them, the first one read already. */
export class RecordStream<T extends object>
  extends HeldStream<T, RecordRun<T>>
  implements AsyncIterableIterator<T, undefined>
{
  constructor(run: RecordRun<T>) {
    super(run);
    this.begin();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
