import * as z from 'zod';
import type { AnswerCache } from '../cache/answer-cache.ts';
import type { CacheCounts } from '../cache/cache-counts.ts';
import { modelHash, tenantHash } from '../cache/cache-key.ts';
import type { CacheStore } from '../cache/cache-store.ts';
import type { Connection } from '../connection.ts';
import type { RequestContext } from '../context.ts';
import { asUnavailable } from '../limits/limit-failure.ts';
import type { Logger } from '../log/logger.ts';
import { leftOf } from '../request/direct-request.ts';
import { parse } from '../request/parse.ts';
import { readJsonBody } from '../request/read-body.ts';
import { canonicalName } from '../upstream/model-name.ts';
import type { JsonAnswer } from './info-routes.ts';

/** Operations of the routes about kept answers. */
export type CacheOperation = 'cache' | 'purge-cache';

/** What they need of the kit. */
export interface CacheParts {
  cache: AnswerCache | undefined;
  store: CacheStore;
  counts: CacheCounts;
  logger: Logger;
}

const maxBodyBytes = 4096;
// Everything only in so many words: a body that lost its members throws nothing away.
const wanted = z
  .strictObject({
    /** `null`: of those who have none. */
    tenant: z.string().max(1024).nullable().optional(),
    model: z.string().min(1).max(256).optional(),
    all: z.literal(true).optional(),
  })
  .refine(({ tenant, model, all }) => (all === undefined) !== (tenant === undefined && model === undefined), {
    error: 'must name a tenant, a model or both, or be {"all": true}',
  });

/** `/admin/cache` and its verb. @throws {KitFailure} */
export async function cacheRoute(
  parts: CacheParts,
  operation: CacheOperation,
  request: Request,
  connection: Connection,
  context: RequestContext,
): Promise<JsonAnswer> {
  const { cache, store, counts } = parts;
  if (operation === 'cache') {
    const { entries, bytes } = await inStore(async () => store.size());
    return { status: 200, body: { enabled: cache !== undefined, entries, bytes, events: counts.all } };
  }
  const { value } = await readJsonBody(request, connection, maxBodyBytes, leftOf(request));
  const { tenant, model } = parse(wanted, value);
  const which = {
    tenant: tenant === undefined ? undefined : tenantHash(tenant ?? undefined),
    model: model === undefined ? undefined : modelHash(canonicalName(model)),
  };
  const purged = await inStore(async () => (cache ?? store).purge(which));
  note(parts.logger, context, { tenant, model, purged });
  return { status: 200, body: { purged } };
}

/** Who threw away what, for whoever asks later why it was gone. */
function note(logger: Logger, { id, principal }: RequestContext, what: Record<string, unknown>): void {
  const by = { requestId: id, principal: principal?.id, keyId: principal?.keyId };
  const named = Object.entries({ ...by, ...what }).filter(([, value]) => value !== undefined);
  logger.info(Object.fromEntries(named), 'llm cache purged');
}

async function inStore<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (thrown) {
    throw asUnavailable(thrown);
  }
}
