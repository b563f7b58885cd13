import type { ErrorCode } from '@ziggie/llm-protocol';
import { canonicalName } from '../upstream/model-name.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { FallbackReason } from './routing-options.ts';

/**
 * Why a model cannot answer at once, as far as is known without asking: `undefined` when one upstream has it in memory
 * with a place free, or nothing is known against it.
 */
export function whyNotNow(
  upstreams: readonly Upstream[],
  model: string,
  now: number,
): FallbackReason | undefined {
  const name = canonicalName(model);
  const having = upstreams.filter(({ catalog }) => catalog.find(name));
  if (having.length === 0) return 'missing';
  const open = having.filter((upstream) => upstream.isOpen(now));
  if (open.length === 0) return 'unavailable';
  for (const upstream of open) upstream.refresh();
  const free = open.filter(
    (upstream) =>
      upstream.runs(name).inFlight < upstream.slots(name, now) &&
      upstream.totalInFlight < upstream.settings.maxInFlight,
  );
  if (free.length === 0) return 'busy';
  return free.some((upstream) => !['absent', 'loading'].includes(upstream.memoryOf(name)))
    ? undefined
    : 'cold';
}

/** What a failure before the first event is a reason for; `undefined` when another model would fail alike. */
export function reasonOf(code: ErrorCode): FallbackReason | undefined {
  switch (code) {
    case 'model_not_found':
      return 'missing';
    case 'quota_exceeded':
      return 'quota';
    case 'server_busy':
    case 'queue_full':
    case 'queue_timeout':
      return 'busy';
    case 'upstream_unreachable':
    case 'upstream_error':
    case 'runner_crashed':
    case 'out_of_memory':
    case 'load_timeout':
    case 'first_token_timeout':
      return 'unavailable';
    default:
      return undefined;
  }
}
