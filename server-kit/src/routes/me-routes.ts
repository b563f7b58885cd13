import { permissions } from '../auth/permissions.ts';
import type { RequestContext } from '../context.ts';
import type { Principal } from '../kit-types.ts';
import { unitsPer } from '../limits/limit-rules.ts';
import type { LimitStatus } from '../limits/limit-status.ts';
import type { Limits } from '../limits/limits.ts';
import type { JsonAnswer } from './info-routes.ts';

/** What the routes about oneself need of the kit. */
export interface MeParts {
  limits: Limits;
  now: () => number;
}

/** `/me`: who the kit takes the caller for, and what that allows. */
export function meRoute({ principal, rights }: RequestContext): JsonAnswer {
  const { id, roles, tenant, keyId, models, expiresAtMs } = principal as Principal;
  return {
    status: 200,
    body: {
      id,
      tenant: tenant ?? null,
      roles,
      keyId: keyId ?? null,
      permissions: permissions.filter((permission) => rights.may(permission)),
      models: models ?? null,
      expiresAt: expiresAtMs === undefined ? null : new Date(expiresAtMs),
    },
  };
}

/** `/me/limits`: every limit that binds the caller, and how much is left. Looking costs nothing. */
export async function myLimitsRoute({ limits, now }: MeParts, context: RequestContext): Promise<JsonAnswer> {
  const { address, principal } = context;
  const statuses = await limits.look({ address, principal });
  const own = statuses.filter(({ rule }) => rule.per !== 'global' && rule.per !== 'model');
  return { status: 200, body: { limits: own.map((status) => shown(status, now())) } };
}

function shown({ rule, left, resetMs, windowMs }: LimitStatus, now: number): Record<string, unknown> {
  const per = unitsPer[rule.unit];
  const limit = rule.kind === 'rate' ? (rule.burst ?? rule.amount) : rule.amount;
  return {
    name: rule.name,
    per: rule.per,
    unit: rule.unit,
    window: rule.window ?? null,
    models: rule.models ?? null,
    limit: limit / per,
    left: Math.max(0, left) / per,
    resetsAt: windowMs > 0 ? new Date(now + resetMs) : null,
  };
}
