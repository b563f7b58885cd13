import { KitFailure } from '../failure.ts';
import { upstreamFailure } from '../upstream/failures.ts';
import type { NoPlace } from '../upstreams/places.ts';

/** Shortest and longest wait that is advised, in ms: below one second the header says one, and after ten minutes nobody knows. */
const leastRetryMs = 1000;
const mostRetryMs = 600_000;

/** The line has no room for one more. @param roomInMs When the line will have moved on, as far as is known. */
export function queueFull(roomInMs: number | null): KitFailure {
  return new KitFailure('queue_full', 'The line for this model is full. Try again when it has moved on.', {
    retryAfterMs: advised(roomInMs),
  });
}

/** A wait that lasted as long as one may. @param restMs What it would have taken still, as far as is known. */
export function queueTimeout(restMs: number | null): KitFailure {
  return new KitFailure('queue_timeout', 'The wait for a free place was too long. Try again later.', {
    retryAfterMs: advised(restMs),
  });
}

/** The caller has taken its own request out of the line. */
export function takenOut(): KitFailure {
  return new KitFailure('aborted', 'The request was taken out of the line.', { retryable: false });
}

/** An administrator has taken the request out of the line. */
export function kicked(): KitFailure {
  return new KitFailure('server_busy', 'The request was taken out of the line by whoever runs this server.', {
    retryable: false,
    reason: 'kicked out of the line',
  });
}

/** There is no place and there will be none by waiting. */
export function noPlaceFailure(why: Exclude<NoPlace, 'busy'>, reopensInMs?: number): KitFailure {
  return why === 'unknown_model'
    ? upstreamFailure('model_not_found', 'no upstream has it')
    : upstreamFailure('upstream_unreachable', 'no upstream is healthy', undefined, reopensInMs);
}

function advised(ms: number | null): number {
  return Math.min(mostRetryMs, Math.max(leastRetryMs, Math.ceil(ms ?? leastRetryMs * 5)));
}
