import type { AnswerRun } from '../answer/answer-run.ts';
import { wholeAnswer } from '../answer/whole-answer.ts';
import { RequestContext } from '../context.ts';
import { asFailure, shuttingDown } from '../failure.ts';
import type { Lease } from '../lease.ts';
import { newId } from '../request/request-id.ts';
import { promptReader } from '../routes/answer-route.ts';
import type { AnswerParts } from '../routes/answer-with.ts';
import { type Route, routeFor, routesAt } from '../routes/route-table.ts';
import { runRequest } from '../routes/run-request.ts';
import { Stop } from '../stop.ts';
import { upstreamFailure } from '../upstream/failures.ts';
import type { WarmRequest } from './cache-options.ts';

/** Who asks, in the log and in hooks. */
const warmer = 'cache.warm';

/**
 * Asks questions before anybody else does, one after the other and only when nobody of `interactive` waits, so that their
 * answers are kept. What is kept already is asked of no model; what fails is logged and left.
 */
export class Warming {
  readonly #parts: AnswerParts;
  #lease: Lease | undefined;
  #isClosed = false;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  /** Never rejects. */
  async run(requests: readonly WarmRequest[]): Promise<void> {
    for (const request of requests) {
      if (this.#isClosed) return;
      await this.#ask(request);
    }
  }

  /** What is being asked ends at once. */
  close(): void {
    this.#isClosed = true;
    this.#lease?.fail(shuttingDown());
  }

  async #ask({ tenant, request: body }: WarmRequest): Promise<void> {
    const parts = this.#parts;
    const { clock, logger } = parts.settings;
    const path = 'messages' in body ? '/chat' : '/generate';
    const context = new RequestContext(
      newId('req'),
      'WARM',
      routeFor(routesAt(path), 'POST') as Route,
      clock,
      logger,
    );
    context.principal = { id: warmer, roles: [], tenant };
    let run: AnswerRun | undefined;
    let lease: Lease | undefined;
    try {
      lease = parts.leases.open(new Stop(), () => run?.release());
      this.#lease = lease;
      const { task } = await lease.during(promptReader(parts, context, null)(body, 0));
      const [candidate] = parts.routing.candidates(task.asked, { key: warmer, roles: [] });
      if (candidate === undefined) throw upstreamFailure('model_not_found', 'an alias for some roles only');
      const model = await lease.during(parts.catalog.resolve(candidate.model, () => true));
      context.model = model;
      const granted = { meter: undefined, maxTokens: task.wantedTokens, inputTokens: 0 };
      const turn = { priority: 'batch' as const, weight: 1, requestId: context.id };
      const request = runRequest(task, context, turn, model, granted);
      run = await parts.cache?.run({
        parts,
        task,
        model,
        context,
        request,
        lease,
        control: null,
        ...granted,
      });
      if (run) await wholeAnswer(run);
      context.log('ok', 200);
    } catch (thrown) {
      const failure = lease?.failure ?? asFailure(thrown);
      context.log('failed', failure.status, failure);
    } finally {
      lease?.close();
      this.#lease = undefined;
    }
  }
}
