import type { CallScope } from '../call/call-scope.ts';
import { waitForRetry } from '../call/wait-for-retry.ts';
import { isZiggieError, type ZiggieError } from '../errors/ziggie-error.ts';
import type { ChatEvent } from '../types.ts';
import type { AnswerAttempt, AnswerRequest } from './answer-attempt.ts';
import type { Collector } from './collector.ts';
import { continued } from './continued.ts';
import { reattach } from './reattach.ts';

export { platformNetwork } from '../http/network.ts';
export { endRun } from './end-run.ts';

/** How an answer goes on. Without a member: by asking the same once more. */
export interface NextStep {
  /** Goes on by itself; its first events are here. */
  resumed?: { attempt: AnswerAttempt; events: ChatEvent[] };
  /** What is asked instead, after the answer had begun; the run that broke is of no use any more. */
  anew?: {
    request: AnswerRequest;
    events: ChatEvent[];
    /** Makes events of the new answer such of the whole one. */
    join?: (events: ChatEvent[]) => ChatEvent[];
  };
}

/**
 * Decides how an answer goes on after a failure, and waits as long as is right.
 *
 * @param first What was asked in the beginning.
 * @throws The failure when the answer ends with it; why the call was stopped, when it was.
 */
export async function afterFailure(
  scope: CallScope,
  first: AnswerRequest | Promise<AnswerRequest>,
  request: AnswerRequest,
  collector: Collector,
  attempt: AnswerAttempt,
  failure: ZiggieError,
): Promise<NextStep> {
  let error = failure;
  const { settings, options, attempts } = scope;
  const point = attempt.resumePoint();
  if (point && error.retryable && error.code !== 'malformed_record') {
    const resumed = await reattach(scope, request, point, error);
    if (isZiggieError(resumed)) error = resumed;
    else if (resumed) return { resumed };
  }
  const recovery = options.recovery ?? settings.recovery;
  if (collector.pieces === 0) {
    await waitForRetry(scope, error);
    return {};
  }
  if (recovery === 'throw') throw error;
  if (recovery === 'restart') {
    await waitForRetry(scope, error);
    const restart = { type: 'restart', attempt: attempts.length + 1 } as const;
    return { anew: { request: await first, events: [restart] } };
  }
  const next = continued(settings, await first, collector.partial());
  if (!next) throw error;
  await waitForRetry(scope, error);
  const { pieces } = collector;
  return {
    anew: {
      request: next,
      events: [],
      join: (events) => events.flatMap((event) => joined(event, pieces, error)),
    },
  };
}

/** An event of an attempt that goes on with an answer, as an event of the whole answer. */
function joined(event: ChatEvent, pieces: number, error: ZiggieError): ChatEvent[] {
  // The model did not go on but began something else: what came before and after do not belong together.
  if (event.type === 'thinking-delta' || event.type === 'tool-call') throw error;
  if (event.type === 'start') return [];
  if (event.type !== 'usage') return [event];
  return [{ ...event, outputTokens: event.outputTokens + pieces, source: 'estimated' }];
}
