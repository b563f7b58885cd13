import type { Connection } from '../connection.ts';
import { KitFailure } from '../failure.ts';
import type { Settings } from '../kit-options.ts';
import type { Principal } from '../kit-types.ts';
import { isFromAllowedOrigin } from '../request/origin.ts';
import { JwtVerifier, unauthorized } from './jwt.ts';

/** Finds out who is asking. */
export type Authenticate = (request: Request, connection: Connection) => Promise<Principal>;

// RFC 6750 §2.1, with a bound: a token longer than any header limit is not looked at.
const bearer = /^Bearer ([A-Za-z0-9._~+/-]{1,8192}=*)$/i;

/** The check that the settings ask for. Without any, nobody gets in. */
export function createAuthenticate(settings: Settings): Authenticate {
  const { jwt, authenticate } = settings;
  if (jwt) {
    const verifier = new JwtVerifier(jwt, settings.clock);
    return async (request) => {
      const header = request.headers.get('authorization');
      if (header === null) throw unauthorized('no Authorization header');
      const token = bearer.exec(header)?.[1];
      if (token === undefined) throw unauthorized('Authorization is not a bearer token');
      return verifier.verify(token);
    };
  }
  if (authenticate) {
    return async (request, connection) => {
      // The host's own check may rest on a cookie, which browsers send from any page: only our own pages may post.
      if (
        request.method === 'POST' &&
        !isFromAllowedOrigin(request, connection.encrypted, settings.corsOrigins)
      ) {
        throw new KitFailure(
          'forbidden',
          'The request does not come from a page of this server. Its Origin must be this host, or be listed in cors.origins.',
          {
            reason: 'Origin is missing or foreign',
          },
        );
      }
      const principal = await authenticate(request, connection);
      // Written in JavaScript, `user && {…}` gives these too.
      if (!principal) throw notSignedIn('refused by authenticate');
      if (typeof principal?.id !== 'string' || principal.id === '' || !Array.isArray(principal.roles)) {
        throw new TypeError('authenticate must give { id, roles }, or null to refuse.');
      }
      return { id: principal.id, roles: principal.roles, expiresAtMs: principal.expiresAtMs };
    };
  }
  return async () => {
    throw unauthorized('neither auth nor authenticate is configured');
  };
}

/** The host app's own check said no; what it goes by is not ours to name. */
function notSignedIn(reason: string): KitFailure {
  return new KitFailure('unauthorized', 'You are not signed in. Sign in and try again.', { reason });
}
