import { parseRetryAfter } from './retry-after.ts';

/** What the headers of a failed answer say about trying again. */
export interface RetryAdvice {
  /** Milliseconds to wait. */
  retryAfterMs?: number | undefined;
  /** The server's own word on whether the same request may succeed. */
  shouldRetry?: boolean | undefined;
}

/** Resets above this are points in time (seconds since 1970), below it spans. */
const EPOCH_SECONDS = 1_000_000_000;

/**
 * Reads `retry-after-ms`, `Retry-After` (seconds or a date), `x-should-retry`, and on 429 and 503 the end of the window
 * from `RateLimit` (`"policy";r=0;t=30` or `reset=30`), `RateLimit-Reset` or `X-RateLimit-Reset`; the first that can be
 * read wins, in this order.
 *
 * @see RFC 9110 section 10.2.3; draft-ietf-httpapi-ratelimit-headers, versions 3 to 10; the `x-should-retry` and
 *   `retry-after-ms` of OpenAI's and Anthropic's servers.
 */
export function readRetryAdvice(status: number, header: (name: string) => string | undefined): RetryAdvice {
  const date = header('Date');
  const should = header('x-should-retry')?.trim().toLowerCase();
  const retryAfterMs =
    spanOf(header('retry-after-ms'), 1) ??
    parseRetryAfter(header('Retry-After'), date) ??
    (status === 429 || status === 503
      ? (windowEnd(header('RateLimit')) ??
        reset(header('RateLimit-Reset'), date) ??
        reset(header('X-RateLimit-Reset'), date))
      : undefined);
  return {
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(should === 'true' || should === 'false' ? { shouldRetry: should === 'true' } : {}),
  };
}

/** The longest wait among the limits that are used up. */
function windowEnd(value: string | undefined): number | undefined {
  let longest: number | undefined;
  for (const limit of value?.split(/,(?=\s*")/) ?? []) {
    const left = /(?:^|[;,\s])(?:r|remaining)=(\d+)/i.exec(limit)?.[1];
    const seconds = /(?:^|[;,\s])(?:t|reset)=(\d+)/i.exec(limit)?.[1];
    if (seconds === undefined || (left !== undefined && left !== '0')) continue;
    longest = Math.max(longest ?? 0, Number(seconds) * 1000);
  }
  return longest;
}

function reset(value: string | undefined, date: string | undefined): number | undefined {
  const ms = spanOf(value, 1000);
  if (ms === undefined || ms < EPOCH_SECONDS * 1000) return ms;
  const served = date === undefined ? Number.NaN : Date.parse(date);
  return Math.max(0, ms - (Number.isNaN(served) ? Date.now() : served));
}

function spanOf(value: string | undefined, unitMs: number): number | undefined {
  const text = value?.trim();
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) * unitMs : undefined;
}
