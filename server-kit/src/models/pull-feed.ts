import type { StreamEvent } from '@ziggie/llm-protocol';
import type { EventSink, EventSource } from '../answer/event-stream.ts';
import type { Admission, Admitted } from '../auth/credential-watch.ts';
import type { Clock } from '../clock.ts';
import type { RequestContext } from '../context.ts';
import { failureProblem, type KitFailure } from '../failure.ts';
import type { PullJob } from './pull-job.ts';
import type { PullRecord } from './pull-meter.ts';

/** How long the status line waits for the first record, so that what fails at once has its own status, in ms. */
const startAfterMs = 2000;

/**
 * A pull for one reader: records as they come, `success` or an error last. A reader who is slow gets the newest record of
 * each layer instead of all: nothing piles up here.
 */
export class PullFeed implements EventSource, Admitted {
  readonly id: string;
  /** Why it ended for this reader alone. */
  ownFailure: KitFailure | undefined;
  /** Called once, when this reader follows no more. */
  onOver = () => {};
  readonly #job: PullJob;
  readonly #clock: Clock;
  readonly #heartbeatMs: number;
  readonly #context: RequestContext;
  readonly #waiting = new Map<string, PullRecord>();
  readonly #unwatch: () => void;
  #sink: EventSink | undefined;
  #isWanted = false;
  #isFlowing = false;
  #isOver = false;
  #seq = 0;
  #cancelBeat = () => {};
  #settleFirst = () => {};

  constructor(job: PullJob, clock: Clock, heartbeatMs: number, context: RequestContext) {
    this.id = job.id;
    this.#job = job;
    this.#clock = clock;
    this.#heartbeatMs = heartbeatMs;
    this.#context = context;
    this.#unwatch = job.watch({
      onRecord: (record) => {
        const key = `${record.host} ${record.digest ?? record.status}`;
        this.#waiting.delete(key);
        this.#waiting.set(key, record);
        this.#settleFirst();
        this.#flow();
      },
      onEnd: () => {
        this.#settleFirst();
        this.#flow();
      },
    });
  }

  /** Resolves when there is something to say. */
  async first(): Promise<void> {
    if (this.#waiting.size > 0 || this.#job.isOver) return;
    let cancel = () => {};
    await new Promise<void>((resolve) => {
      this.#settleFirst = resolve;
      cancel = this.#clock.setTimer(resolve, startAfterMs);
    });
    cancel();
  }

  attach(sink: EventSink): void {
    if (this.#isOver) {
      if (this.ownFailure) this.#write(sink, [this.#lineOf(this.ownFailure)]);
      sink.end();
      return;
    }
    this.#sink = sink;
    this.#beat();
    this.pull();
  }

  pull(): void {
    this.#isWanted = true;
    this.#flow();
  }

  leave(): void {
    if (!this.#over()) return;
    this.#context.log('left', 499);
    this.#unwatch();
  }

  get admission(): Admission | undefined {
    return this.#context.admission;
  }

  /** Ends it for this reader; nobody else who follows the pull is meant. */
  fail(failure: KitFailure): void {
    if (!this.#over()) return;
    this.ownFailure = failure;
    this.#unwatch();
    this.#settleFirst();
    if (this.#sink) this.#write(this.#sink, [this.#lineOf(failure)]);
    this.#sink?.end();
    this.#context.log('failed', failure.status, failure);
  }

  #flow(): void {
    const sink = this.#sink;
    // A sink with room asks for more while it takes what it is given: the loop goes on then.
    if (sink === undefined || this.#isFlowing) return;
    this.#isFlowing = true;
    while (this.#isWanted && !this.#isOver && this.#waiting.size > 0) {
      this.#isWanted = false;
      const records = [...this.#waiting.values()];
      this.#waiting.clear();
      this.#write(sink, records);
    }
    if (this.#isWanted && this.#job.isOver) this.#end(sink);
    this.#isFlowing = false;
  }

  #end(sink: EventSink): void {
    if (!this.#over()) return;
    const { failure } = this.#job;
    if (failure === undefined) this.#write(sink, [{ status: 'success' }]);
    else this.#write(sink, [this.#lineOf(failure)]);
    sink.end();
    this.#context.log(failure === undefined ? 'ok' : 'failed', failure?.status ?? 200, failure);
  }

  /** The members of a problem, and the one by which Ollama's clients know an error in a stream. */
  #lineOf(failure: KitFailure): object {
    const { body } = failureProblem(failure, this.#context.id);
    return { ...(body as object), error: failure.message };
  }

  #write(sink: EventSink, records: readonly object[]): void {
    const job = this.#job.id;
    // Framings write any object that has a number; these are no events of an answer.
    sink.write(records.map((record) => ({ ...record, job, seq: this.#seq++ }) as unknown as StreamEvent));
  }

  #over(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#cancelBeat();
    this.onOver();
    return true;
  }

  #beat(): void {
    if (this.#isOver) return;
    this.#cancelBeat = this.#clock.setTimer(() => {
      this.#sink?.beat();
      this.#beat();
    }, this.#heartbeatMs);
  }
}
