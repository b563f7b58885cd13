import { newScope } from '../call/call-scope.ts';
import { AbortedError } from '../errors/aborted-error.ts';
import { isZiggieError, withCallDetails, type ZiggieError } from '../errors/ziggie-error.ts';
import { RECONNECT_MS, type Settings } from '../settings.ts';
import type { CallOptions, ChatEvent, ChatResult } from '../types.ts';
import { type AnswerAttempt, type AnswerRequest, newAttempt, type ResumePoint } from './answer-attempt.ts';
import { newCollector } from './collector.ts';

/** What is asked; `written` is what goes out, once the dialect is here that puts it so. */
export interface AskedQuestion {
  operation: 'chat' | 'generate';
  model: string;
  written: AnswerRequest | Promise<AnswerRequest>;
}

/** Between two tries to fetch what goes on with a broken answer. Offline they cost nothing. */
const FETCH_AGAIN_MS = 1_000;

const nothing = (): void => {};

/** Nothing of it is needed while all goes well. */
type AfterFailure = typeof import('./after-failure.ts');
const loadAfterFailure = () => import('./after-failure.ts');

/**
 * One answer over all its attempts.
 *
 * Lazy: the request goes out with the first read, so a stream that nobody reads costs nothing and cannot fail unseen.
 * Pull based: the next bytes are asked for when the events of the last ones were taken.
 */
export interface AnswerRun {
  readonly result: Promise<ChatResult>;
  abort(reason: unknown): void;
  /** Ends the answer for a reader who asks for nothing more, not even why it ended. */
  leave(reason: unknown): void;
  /** The next event that is here already. */
  shift(): ChatEvent | undefined;
  /** Whether nothing more will come. Throws the failure that ended the answer, once. */
  isOver(): boolean;
  readAll(): Promise<void>;
  /**
   * Brings at least one event, or the end, and gives what `then` makes of that. Failures are kept for `then` to ask about.
   */
  pull<T>(then: () => T | Promise<T>): Promise<T>;
}

export function answerRun(
  settings: Settings,
  { operation, model, written }: AskedQuestion,
  options: CallOptions,
  idleMs: number | undefined,
): AnswerRun {
  const collector = newCollector(model);
  const scope = newScope(settings, options, { operation, model, streaming: true }, idleMs, fail);
  const { tell, watched, attempts } = scope;
  let resolve!: (result: ChatResult) => void;
  let reject!: (error: ZiggieError) => void;
  const result = new Promise<ChatResult>((...settle) => {
    [resolve, reject] = settle;
  });
  // Whoever asks for the result sees its failure; nobody asking is no unhandled rejection.
  result.catch(nothing);
  /** What is asked, or what goes on with what came of it. */
  let request: AnswerRequest | undefined;
  let point: ResumePoint | undefined;
  let attempt: AnswerAttempt | undefined;
  let stopWaking: (() => void) | undefined;
  /** What ends a run and picks one up, once it is loaded. */
  let late: AfterFailure | undefined;
  /** Where the model was asked to go on with what came before. */
  let join: ((events: ChatEvent[]) => ChatEvent[]) | undefined;
  let queue: ChatEvent[] = [];
  let taken = 0;
  let pulling: Promise<unknown> | undefined;
  let then: () => unknown = nothing;
  let over = false;
  /** A failure that the iterator has not thrown yet. */
  let untold: ZiggieError | undefined;

  const onPulled = (): unknown => {
    const pulled = then;
    pulling = undefined;
    // Whoever drops the stream between two reads is not held.
    then = nothing;
    return pulled();
  };

  const onEvents = (events: ChatEvent[], from: AnswerAttempt): unknown => {
    take(events, from);
    return onPulled();
  };

  const onFailure = (error: unknown, failed: AnswerAttempt): Promise<unknown> =>
    readNext({ failed, error }).then(onPulled);

  /** @param ended The attempt that ended, where one did. */
  async function readNext(ended?: { failed: AnswerAttempt; error: unknown }): Promise<void> {
    try {
      await scope.begin();
      request ??= written instanceof Promise ? await scope.newInterrupt().wait(written) : written;
      // What would go on with a broken answer, while there is a network.
      if ((options.recovery ?? settings.recovery) !== 'throw') loadAfterFailure().catch(nothing);
      let next = ended;
      for (;;) {
        if (next) {
          const { failed, error } = next;
          if (!isZiggieError(error) || over) throw error;
          attempt = undefined;
          failed.fail(error);
          if (await recover(failed, error)) return;
        }
        attempt ??= newAttempt(scope, request);
        next = await attempt.read<typeof ended>(take, (error, failed) => ({ failed, error }));
        if (!next) return;
      }
    } catch (error) {
      fail(error as ZiggieError);
    }
  }

  /** Makes ready for another attempt. @returns Whether that brought events already. @throws When there is none. */
  async function recover(failed: AnswerAttempt, error: ZiggieError): Promise<boolean> {
    const { afterFailure } = await scope.newInterrupt().wait(untilLoaded(failed, error));
    const { resumed, anew } = await afterFailure(
      scope,
      written,
      request as AnswerRequest,
      collector,
      failed,
      error,
    );
    if (resumed) {
      attempt = resumed.attempt;
      take(resumed.events, attempt);
    } else if (anew) {
      endRun();
      ({ request, join } = anew);
      if (anew.events.length > 0) show(anew.events);
    }
    return queue.length > taken;
  }

  /**
   * What goes on with a broken answer. Where not even that can be fetched there is no network: it is tried again for as
   * long as the answer could be picked up.
   */
  async function untilLoaded(failed: AnswerAttempt, error: ZiggieError): Promise<AfterFailure> {
    const reconnectMs = options.retry?.reconnectMs ?? settings.retry.reconnectMs ?? RECONNECT_MS;
    for (let tries = 1; ; tries++) {
      const loaded = await loadAfterFailure().catch(nothing);
      if (loaded) return loaded;
      if (over || tries * FETCH_AGAIN_MS > reconnectMs || !failed.resumePoint()) throw error;
      tell('reconnecting', { tries, delayMs: FETCH_AGAIN_MS, offline: true, error });
      await new Promise<void>((resolve) => {
        settings.clock.setTimer(resolve, FETCH_AGAIN_MS);
      });
    }
  }

  /** Tells the kit that nobody will come back, where a run goes on without its connection. */
  function endRun(): void {
    const ended = point;
    point = undefined;
    if (!ended || ended.decoder.ended) return;
    const end = (loaded: AfterFailure): void => loaded.endRun(settings, ended, options);
    // At once where it can be: a page that is being closed waits for nothing.
    if (late) end(late);
    else loadAfterFailure().then(end, nothing);
  }

  function take(events: ChatEvent[], from: AnswerAttempt): undefined {
    if (over) return;
    show(join ? join(events) : events);
    if (events.at(-1)?.type === 'done') {
      end();
      from.finish();
      const whole = collector.result(from.requestId(), scope);
      resolve(whole);
      tell('done', whole);
      return;
    }
    const known = from.resumePoint();
    if (!known) return;
    point = known;
    if (stopWaking) return;
    // Once: what picks up an answer comes while there is a network.
    stopWaking = nothing;
    loadAfterFailure().then((loaded) => {
      late = loaded;
      if (!over) stopWaking = loaded.platformNetwork.onWake(() => attempt?.wake());
    }, nothing);
  }

  function show(events: ChatEvent[]): void {
    for (const event of events) {
      collector.add(event);
      if (watched) tell('event', event);
    }
    queue = events;
    taken = 0;
  }

  function fail(error: ZiggieError): void {
    if (over) return;
    end();
    queue = [];
    attempt?.fail(error);
    endRun();
    withCallDetails(error, { attempts, partial: collector.partial() });
    untold = error;
    reject(error);
    tell('error', { error });
  }

  function end(): void {
    over = true;
    stopWaking?.();
    scope.end();
  }

  const run: AnswerRun = {
    result,
    abort: (reason) => scope.stop(new AbortedError(reason)),
    leave(reason) {
      run.abort(reason);
      untold = undefined;
    },
    shift: () => queue[taken++],
    isOver() {
      const error = untold;
      untold = undefined;
      if (error) throw error;
      return over;
    },
    async readAll() {
      while (!over) await run.pull(nothing);
      queue = [];
    },
    pull<T>(pulled: () => T | Promise<T>): Promise<T> {
      // Whatever the other reader makes of it.
      if (pulling) return pulling.then(pulled, pulled);
      if (over) return Promise.resolve().then(pulled);
      then = pulled;
      // The common case takes no detour: a stream in small pieces comes through here for every token.
      pulling = attempt && !join ? attempt.read(onEvents, onFailure) : readNext().then(onPulled);
      return pulling as Promise<T>;
    },
  };
  return run;
}
