import type { ErrorEvent } from '@ziggie/llm-protocol';
import { failureEvent, KitFailure } from '../failure.ts';

/** There is no such stream for this caller: one answer for unknown, foreign, forbidden and over. */
export function noStream(): KitFailure {
  return new KitFailure('not_found', 'There is no such stream here. It may be over, or kept no longer.');
}

/** Somebody who may said so. */
export function stopped(): KitFailure {
  return new KitFailure('aborted', 'The answer was stopped.');
}

/** The process that wrote an answer is gone, and so is the rest of it. */
export function lostWriter(): ErrorEvent {
  const failure = new KitFailure('truncated', 'The server that wrote this answer went away. Ask again.');
  const { requestId: _, ...event } = failureEvent(failure, '');
  return event;
}

/** More connections read one answer than anybody needs. */
export function tooManyReaders(): KitFailure {
  return new KitFailure('too_many_in_flight', 'This answer is being read by too many connections already.', {
    retryAfterMs: 1000,
  });
}
