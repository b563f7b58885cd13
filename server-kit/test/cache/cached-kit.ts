import type { FakeOllamaOptions } from '@ziggie/llm-testing';
import { expect } from 'vitest';
import type { ServerKitOptions } from '../../src/index.ts';
import { type Ask, audience, type Bench, eventsIn, issuer, secret, startBench } from '../harness.ts';

const unlimited = Number.POSITIVE_INFINITY;

/** Tokens name a tenant, and nobody is limited. */
export const tenants: Partial<ServerKitOptions> = {
  auth: { jwt: { secret, issuer, audience, tenantClaim: 'tenant' } },
  limits: { requestsPerMinute: unlimited, requestsPerMinutePerAddress: unlimited, maxInFlight: unlimited },
};

/** Who asks. */
export interface Who {
  sub?: string;
  tenant?: string;
  roles?: string[];
}

/** A kit that keeps and shares answers. */
export interface CachedKit extends Bench {
  /** As somebody of a tenant; by default Ada of Acme. */
  as(who: Who, target: string, body: unknown, more?: Ask): Promise<Response>;
  /** How often the stand-in has been asked for an answer. */
  readonly generations: number;
}

export async function startCached(
  options: Partial<ServerKitOptions> = {},
  ollama: FakeOllamaOptions = {},
): Promise<CachedKit> {
  const bench = await startBench({ ...tenants, cache: {}, ...options }, ollama);
  const as: CachedKit['as'] = async (who, target, body, more = {}) => {
    const token = await bench.token({ tenant: 'acme', roles: ['user'], ...who });
    return bench.answer(target, { body, token, ...more });
  };
  return Object.defineProperty(Object.assign(bench, { as, generations: 0 }), 'generations', {
    get: () => bench.ollama.fake.report().requests.filter(({ path }) => path === '/api/chat').length,
  });
}

/** A question that can be answered again. */
export const repeatable = {
  model: 'stand-in',
  messages: [{ role: 'user', content: 'What is a lease?' }],
  options: { temperature: 0 },
};

/** The text of a streamed answer, and what the cache did. */
export async function readOf(response: Response): Promise<{ text: string; cache: string | null }> {
  expect(response.status).toBe(200);
  const events = await eventsIn(response);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at));
  expect(events.at(-1)?.type).toBe('done');
  const [start] = events;
  const cache = response.headers.get('x-ziggie-cache');
  expect(start).toMatchObject({ type: 'start' });
  expect(start?.type === 'start' ? (start.cache ?? null) : '').toBe(cache);
  return { text: events.map((event) => (event.type === 'text-delta' ? event.text : '')).join(''), cache };
}
