import { KitFailure } from '../failure.ts';
import { unitsPer } from './limit-rules.ts';
import type { LimitStatus } from './limit-status.ts';

const owners = {
  address: 'from this address',
  user: 'for this user',
  key: 'for this API key',
  tenant: 'for this tenant',
  model: 'for this model',
  global: 'in all',
} as const;

const words = {
  requests: 'requests',
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
  totalTokens: 'tokens',
  gpuSeconds: 'GPU seconds',
  cost: 'of cost',
  inFlight: 'answers at once',
} as const;

/** The refusal by the limit with the longest wait among those without room. It says which limit and when. */
export function limitFailure(statuses: readonly LimitStatus[]): KitFailure {
  const [worst] = statuses.filter(({ fits }) => !fits).sort((a, b) => b.retryAfterMs - a.retryAfterMs);
  if (!worst) throw new TypeError('A limit refused, and every limit has room.');
  const { rule, retryAfterMs } = worst;
  const amount = rule.amount / unitsPer[rule.unit];
  const window = rule.window === undefined ? '' : ` a ${rule.window}`;
  const wait = `Wait ${Math.ceil(retryAfterMs / 1000)} s.`;
  const more = { retryAfterMs: Math.ceil(retryAfterMs), reason: `limit ${rule.name}` };
  const limit = `${amount} ${words[rule.unit]}${window} ${owners[rule.per]}`;
  // What others use up is the server's state, not this caller's doing.
  if (rule.per === 'model' || rule.per === 'global') {
    return new KitFailure('server_busy', `The limit "${rule.name}" is reached: ${limit}. ${wait}`, more);
  }
  if (rule.kind === 'gauge') {
    return new KitFailure(
      'too_many_in_flight',
      `No more than ${limit}. Wait for one to end, or stop it.`,
      more,
    );
  }
  if (rule.kind === 'rate') {
    return new KitFailure('rate_limited', `No more than ${limit}. ${wait}`, more);
  }
  return new KitFailure(
    'quota_exceeded',
    `The limit "${rule.name}" has no room for this: ${limit}. ${wait}`,
    { ...more, retryable: true },
  );
}

/** A stream that would go on beyond what its quota has left. */
export function outrunFailure(): KitFailure {
  return new KitFailure('quota_exceeded', 'The answer was cut: it is as long as the quota has room for.', {
    retryable: false,
    reason: 'answer outran its quota',
  });
}

/** A store that cannot say. Nothing that costs is given out on trust. */
export function storeUnavailable(reason: string): KitFailure {
  return new KitFailure(
    'store_unavailable',
    'The server cannot check this right now. Try again in a moment.',
    { retryAfterMs: 5000, reason },
  );
}

/** Anything a store throws. Its text stays inside: it may name hosts. */
export function asUnavailable(thrown: unknown): KitFailure {
  return storeUnavailable(thrown instanceof Error ? `store: ${thrown.name}` : 'store');
}
