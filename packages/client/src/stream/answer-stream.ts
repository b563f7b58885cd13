import type { Settings } from '../settings.ts';
import type { CallOptions, ChatEvent, ChatStream } from '../types.ts';
import { type AskedQuestion, answerRun } from './answer-run.ts';
import { dropped } from './dropped.ts';

type Result = IteratorResult<ChatEvent, undefined>;

/** One for all streams. While an object of this form lives, so does the code that the engine made for the others. */
const over: Result = { done: true, value: undefined };

/**
 * The stream that a caller holds. Nothing of the run behind it points back here, so that a stream which nobody holds any
 * more can be collected, and its connection closed.
 */
export function answerStream(
  settings: Settings,
  asked: AskedQuestion,
  options: CallOptions,
  idleMs: number | undefined,
): ChatStream {
  const run = answerRun(settings, asked, options, idleMs);
  let isRead = false;

  const onPulled = (): Result | Promise<Result> => {
    const value = run.shift();
    if (value) return { done: false, value };
    let isOver = true;
    try {
      isOver = run.isOver();
    } finally {
      if (isOver) dropped.unregister(stream);
    }
    // Two reads at once share what comes: the second waits for more.
    return isOver ? over : stream.next();
  };

  const leave = (reason: unknown): void => {
    dropped.unregister(stream);
    run.leave(reason);
  };

  const stream: ChatStream & AsyncIterator<ChatEvent, undefined> = {
    text: async () => (await stream.final()).text,
    final() {
      if (!isRead) {
        isRead = true;
        void run.readAll();
      }
      return run.result;
    },
    abort: run.abort,
    [Symbol.asyncIterator]() {
      if (isRead) throw new TypeError('Iterating an answer: it is read already. Call chat() again.');
      isRead = true;
      dropped.register(stream, run, stream);
      return stream;
    },
    next() {
      const value = run.shift();
      // A wait holds this object: what is waited for is not dropped.
      return value ? Promise.resolve({ done: false, value }) : run.pull(onPulled);
    },
    /** What `break` and `return` in a loop call: closes the connection. */
    async return() {
      leave(new Error('The loop was left.'));
      return over;
    },
    /** For loops written by hand: ends the answer like `return` and passes the error on. */
    async throw(error) {
      leave(error);
      throw error;
    },
  };
  return stream;
}
