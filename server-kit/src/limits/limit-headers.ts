import type { HeaderWriter } from '../answer/header-list.ts';
import type { Rule } from './limit-rules.ts';
import type { LimitStatus } from './limit-status.ts';

const quotaUnits: Partial<Record<Rule['unit'], string>> = {
  inFlight: 'concurrent-requests',
  inputTokens: 'tokens',
  outputTokens: 'tokens',
  totalTokens: 'tokens',
  gpuSeconds: 'milliseconds',
  cost: 'cost',
};

/**
 * Adds limits to `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10): one item per limit, named;
 * `q` quota, `w` window in seconds, `qu` its unit when that is not requests, `r` rest, `t` seconds until it is whole.
 */
export function addLimitHeaders(headers: HeaderWriter, statuses: readonly LimitStatus[]): void {
  let told = '';
  let rests = '';
  for (const { rule, left, windowMs, resetMs } of statuses) {
    const reset = windowMs > 0 ? `;t=${Math.ceil(resetMs / 1000)}` : '';
    const comma = told === '' ? '' : ', ';
    told += comma + policyOf(rule, windowMs);
    rests += `${comma}"${rule.name}";r=${Math.max(0, left)}${reset}`;
  }
  if (told === '') return;
  headers.set('ratelimit-policy', told);
  headers.set('ratelimit', rests);
}

/** What a policy says is the same for everybody; only months are not all of one length. */
const policies = new WeakMap<Rule, { windowMs: number; text: string }>();

function policyOf(rule: Rule, windowMs: number): string {
  const known = policies.get(rule);
  if (known?.windowMs === windowMs) return known.text;
  const unit = quotaUnits[rule.unit];
  const window = windowMs > 0 ? `;w=${Math.ceil(windowMs / 1000)}` : '';
  const amount = rule.kind === 'rate' ? (rule.burst ?? rule.amount) : rule.amount;
  const text = `"${rule.name}";q=${amount}${window}${unit ? `;qu="${unit}"` : ''}`;
  policies.set(rule, { windowMs, text });
  return text;
}

/** The same for the OpenAI surface: `x-ratelimit-limit-requests` and so on, of the limit with the least left. */
export function addOpenAiLimitHeaders(headers: HeaderWriter, statuses: readonly LimitStatus[]): void {
  for (const name of ['requests', 'tokens'] as const) {
    const [tightest] = statuses
      .filter(({ rule }) => (name === 'requests' ? rule.unit === 'requests' : rule.unit.endsWith('Tokens')))
      .sort((a, b) => a.left / a.rule.amount - b.left / b.rule.amount);
    if (!tightest) continue;
    headers.set(`x-ratelimit-limit-${name}`, String(tightest.rule.amount));
    headers.set(`x-ratelimit-remaining-${name}`, String(Math.max(0, tightest.left)));
    headers.set(`x-ratelimit-reset-${name}`, duration(tightest.resetMs));
  }
}

/** `1h2m3s`, as OpenAI writes it; below a second in whole milliseconds. */
function duration(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${h > 0 ? `${h}h` : ''}${h > 0 || m > 0 ? `${m}m` : ''}${s}s`;
}
