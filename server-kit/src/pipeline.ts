import type { Authenticate } from './auth/authenticate.ts';
import { type RoleTable, rightsOnce } from './auth/permissions.ts';
import type { Connection } from './connection.ts';
import type { RequestContext } from './context.ts';
import { KitFailure, shuttingDown } from './failure.ts';
import type { Principal } from './kit-types.ts';
import type { Limits } from './limits/limits.ts';
import { checkFraming, checkTarget } from './request/target.ts';

/** What the stages before a route need of the kit. */
export interface PipelineParts {
  authenticate: Authenticate;
  roles: RoleTable;
  limits: Limits;
  isDraining: () => boolean;
}

/**
 * Everything that must hold before a route runs, in this order: cheap and anonymous checks first, nothing of the body
 * until the caller is known and within limits. A refusal throws or rejects; one by a limit consumes nothing of any.
 */
export function admit(
  parts: PipelineParts,
  request: Request,
  connection: Connection,
  context: RequestContext,
): void | Promise<void> {
  // Each stage goes on by itself where it need not wait: what is in memory costs no promise.
  const met = meet(parts, connection, context);
  if (met instanceof Promise) return met.then(() => identify(parts, request, connection, context));
  return identify(parts, request, connection, context);
}

function identify(
  parts: PipelineParts,
  request: Request,
  connection: Connection,
  context: RequestContext,
): void | Promise<void> {
  if (context.route.permission === 'public') return;
  if (parts.isDraining()) throw shuttingDown();
  const principal = parts.authenticate(request, connection);
  if (principal instanceof Promise) return principal.then((one) => letIn(parts, one, context));
  return letIn(parts, principal, context);
}

function letIn(
  { roles, limits }: PipelineParts,
  principal: Principal,
  context: RequestContext,
): void | Promise<void> {
  context.principal = principal;
  context.rights = rightsOnce(principal, roles);
  context.mark('auth');
  const taken = takeLimits(limits, 'principal', context);
  if (taken instanceof Promise) return taken.then(() => permit(context));
  permit(context);
}

function permit(context: RequestContext): void {
  const { permission } = context.route;
  context.mark('limit');
  if (permission !== 'public' && !context.rights.may(permission)) {
    throw new KitFailure('forbidden', 'You may not do this here. Ask whoever runs this server.', {
      reason: `no ${permission}`,
    });
  }
}

/** The stages before anything of the request is answered, whoever asks and however. @throws {KitFailure} */
export function meet(
  { limits }: PipelineParts,
  { rawHeaders, target, remoteAddress }: Connection,
  context: RequestContext,
): void | Promise<void> {
  checkFraming(rawHeaders);
  checkTarget(target, context.route);
  context.address = remoteAddress;
  return takeLimits(limits, 'address', context);
}

/** Takes one request of the rules of a stage, at once where the store does. @throws {KitFailure} of the limit that refused. */
export function takeLimits(
  limits: Limits,
  stage: 'address' | 'principal' | 'entry',
  context: RequestContext,
  holdId?: string,
): void | Promise<void> {
  const { address, principal } = context;
  const taken = limits.take(stage, { address, principal }, holdId, (statuses) => {
    for (const status of statuses) context.limits.push(status);
  });
  if (taken instanceof Promise) return taken.then(() => {});
}
