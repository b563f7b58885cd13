import type { Authenticate } from './auth/authenticate.ts';
import { isAllowed } from './auth/permissions.ts';
import type { Connection } from './connection.ts';
import type { RequestContext } from './context.ts';
import { KitFailure, shuttingDown } from './failure.ts';
import type { RateLimits } from './rate-limit/rate-limits.ts';
import { checkFraming, checkTarget } from './request/target.ts';

/** What the stages before a route need of the kit. */
export interface PipelineParts {
  authenticate: Authenticate;
  rateLimits: RateLimits;
  isDraining: () => boolean;
}

/**
 * Everything that must hold before a route runs, in this order: cheap and anonymous checks first, nothing of the body
 * until the caller is known and within limits. A refusal throws; one by a limit consumes nothing of it.
 */
export async function admit(
  parts: PipelineParts,
  request: Request,
  connection: Connection,
  context: RequestContext,
): Promise<void> {
  checkFraming(connection.rawHeaders);
  checkTarget(connection.target);
  await parts.rateLimits.takeAddress(connection.remoteAddress, context.headers);
  const { permission } = context.route;
  if (permission === 'public') return;
  if (parts.isDraining()) throw shuttingDown();
  const principal = await parts.authenticate(request, connection);
  context.principal = principal;
  context.mark('auth');
  await parts.rateLimits.takePrincipal(principal.id, context.headers);
  context.mark('limit');
  if (!isAllowed(principal.roles, permission)) {
    throw new KitFailure('forbidden', 'Your roles do not allow this. Ask whoever runs this server.');
  }
}
