import type { Answer } from '../answer/answer.ts';
import type { AnswerRun } from '../answer/answer-run.ts';
import type { RequestContext } from '../context.ts';
import { KitFailure } from '../failure.ts';
import type { Principal } from '../kit-types.ts';
import type { Lease } from '../lease.ts';
import { headerOf, leftOf } from '../request/direct-request.ts';
import type { AnswerParts } from '../routes/answer-with.ts';
import type { Task } from '../routes/task.ts';
import type { AnswerForm } from '../surfaces/surface.ts';
import type { EventFeed } from './event-feed.ts';
import { type Claimed, claimKey } from './idempotency.ts';
import type { LogReader } from './log-reader.ts';
import type { LoggedEnd } from './logged-run.ts';
import { openFeed } from './open-feed.ts';

/** How often a run that vanishes under somebody who joins it is looked for again. */
const maxTries = 4;

/** What one request has to do with answers of others: those it may get instead of its own, and those who may get its own. */
export class SharedAnswer {
  readonly #parts: AnswerParts;
  readonly #request: Request;
  readonly #context: RequestContext;
  readonly #key: string | null;
  #claimed: Claimed | undefined;

  constructor(parts: AnswerParts, request: Request, context: RequestContext) {
    this.#parts = parts;
    this.#request = request;
    this.#context = context;
    const isOurs = context.route.surface === undefined && parts.settings.resume !== undefined;
    this.#key = isOurs ? headerOf(request, 'idempotency-key') : null;
  }

  /** Whether there may be an answer already. */
  get isPossible(): boolean {
    return this.#key !== null;
  }

  /** Whether others may read the answer of this request. */
  get isShared(): boolean {
    return this.#claimed !== undefined;
  }

  /** The answer of another request that this one may have. `undefined`: it asks a model itself. @throws {KitFailure} */
  async find(task: Task, model: string, lease: Lease): Promise<EventFeed | undefined> {
    const { resume } = this.#parts.settings;
    if (this.#claimed || this.#key === null || task.canonical === undefined || resume === undefined)
      return undefined;
    const { path } = this.#context.route;
    for (let tries = 0; tries < maxTries; tries++) {
      const found = await claimKey(
        this.#parts.streams,
        {
          key: this.#key,
          principal: this.#context.principal as Principal,
          rights: this.#context.rights,
          model,
          canonical: `${path === '/chat' ? path : '/generate'}\n${task.canonical()}`,
        },
        resume,
      );
      if (found.kind === 'claimed') {
        this.#claimed = found;
        return undefined;
      }
      try {
        return await this.#join(found.stream.id, lease);
      } catch (thrown) {
        // It failed before it had said anything: this one is the next to ask.
        if (!(thrown instanceof KitFailure && thrown.code === 'not_found')) throw thrown;
      }
    }
    throw new KitFailure('server_busy', 'The answers with this Idempotency-Key keep failing. Try again.', {
      retryAfterMs: 1000,
    });
  }

  /** The events of a run of this request. @throws {KitFailure} when it fails before the first. */
  async open(run: AnswerRun, form: AnswerForm): Promise<EventFeed> {
    const claimed = this.#claimed;
    const isResumable = form.streams && form.resumes === true;
    if (!isResumable && !claimed) return openFeed(this.#parts, run, undefined);
    let isOpen = false;
    let end: LoggedEnd | undefined;
    // What fails before its first event may yet be answered by another model.
    const settle = () => {
      if (isOpen && end !== undefined && end !== 'done') claimed?.release();
    };
    const feed = await openFeed(this.#parts, run, {
      left: leftOf(this.#request),
      isResumable,
      id: claimed?.id,
      onOver: (how) => {
        end = how;
        settle();
      },
    });
    isOpen = true;
    settle();
    return feed;
  }

  /** Sees to it that what ends before there is a run leaves nothing behind. */
  async guard(answering: Promise<Answer>): Promise<Answer> {
    try {
      return await answering;
    } catch (thrown) {
      if (this.#claimed) {
        this.#claimed.release();
        void this.#parts.streams.forget(this.#claimed.id);
      }
      throw thrown;
    }
  }

  async #join(id: string, lease: Lease): Promise<LogReader> {
    const { streams, settings } = this.#parts;
    const { resume, timeouts } = settings;
    const context = this.#context;
    const found = await streams.find(id, context.principal as Principal, context.rights);
    if (resume === undefined) throw new TypeError('Nothing is kept.');
    const { heartbeatMs } = timeouts;
    const onOver = (how: 'end' | 'left' | 'cut') => {
      if (how === 'left') context.log('left', 499);
      else context.log(how === 'end' ? 'ok' : 'failed', 200);
    };
    return streams.read(found, { after: -1, lease, settings: resume, heartbeatMs, waits: true, onOver });
  }
}
