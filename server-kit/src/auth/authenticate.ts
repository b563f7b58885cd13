import type { Connection } from '../connection.ts';
import { KitFailure } from '../failure.ts';
import { looksLikeKey } from '../keys/key-format.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Settings } from '../kit-options.ts';
import type { Principal } from '../kit-types.ts';
import { asUnavailable, storeUnavailable } from '../limits/limit-failure.ts';
import { isFromAllowedOrigin } from '../request/origin.ts';
import { credentialOf } from './credential.ts';
import type { FailedAttempts } from './failed-attempts.ts';
import type { RefusedToken } from './jwt.ts';
import { KeysUnavailable } from './jwt-keys.ts';
import { TokenCache } from './token-cache.ts';
import type { TokenCheck } from './token-check.ts';

/** Finds out who is asking; at once where that is known. Throws or rejects with a `KitFailure`. */
export type Authenticate = (request: Request, connection: Connection) => Principal | Promise<Principal>;

/** What finding out needs. */
export interface AuthenticateParts {
  settings: Settings;
  tokens: TokenCheck | undefined;
  keys: KeyRing | undefined;
  failedAttempts: FailedAttempts;
}

type Checked = { principal: Principal } | RefusedToken;

/** How long a key that was good need not queue behind the guesses of its neighbours, in ms. */
const recentMs = 600_000;

/** The check that the settings ask for. Without any, nobody gets in. */
export function createAuthenticate(parts: AuthenticateParts): Authenticate {
  const { settings, tokens, keys, failedAttempts } = parts;
  const { clock, authenticate } = settings;
  const recent = new TokenCache<true>();

  const check = async (text: string): Promise<Checked> => {
    try {
      if (looksLikeKey(text))
        return (await keys?.verify(text)) ?? { reason: 'no API keys here', isGuess: true };
      return (await tokens?.verify(text)) ?? { reason: 'no tokens here', isGuess: true };
    } catch (thrown) {
      if (thrown instanceof KeysUnavailable) throw storeUnavailable('keys of the issuer');
      throw asUnavailable(thrown);
    }
  };

  const ofUnknown = async (text: string, connection: Connection): Promise<Principal> => {
    const now = clock.now();
    const checked = recent.get(text, now)
      ? await check(text)
      : await failedAttempts.guard(
          connection.remoteAddress,
          () => check(text),
          (result) => 'isGuess' in result && result.isGuess,
        );
    if ('reason' in checked) throw unauthorized(checked.reason);
    if (checked.principal.keyId !== undefined) recent.set(text, true, now + recentMs);
    return checked.principal;
  };

  return (request, connection) => {
    const credential = credentialOf(request, connection);
    if (authenticate && !('text' in credential && keys && looksLikeKey(credential.text))) {
      return ofHost(parts.settings, authenticate, request, connection);
    }
    if (!tokens && !keys) throw unauthorized('neither auth nor authenticate is configured');
    if ('fault' in credential) throw unauthorized(credential.fault);
    return tokens?.known(credential.text) ?? ofUnknown(credential.text, connection);
  };
}

/** The host app's own check. */
async function ofHost(
  { corsOrigins }: Settings,
  authenticate: NonNullable<Settings['authenticate']>,
  request: Request,
  connection: Connection,
): Promise<Principal> {
  // It may rest on a cookie, which browsers send from any page: only our own pages may change anything.
  const isSafe = request.method === 'GET' || request.method === 'HEAD';
  if (!isSafe && !isFromAllowedOrigin(request, connection.encrypted, corsOrigins)) {
    throw new KitFailure(
      'forbidden',
      'The request does not come from a page of this server. Its Origin must be this host, or be listed in cors.origins.',
      { reason: 'Origin is missing or foreign' },
    );
  }
  const principal = await authenticate(request, connection);
  // Written in JavaScript, `user && {…}` gives these too.
  if (!principal) throw notSignedIn('refused by authenticate');
  if (!isPrincipal(principal)) {
    throw new TypeError('authenticate must give { id, roles }, or null to refuse.');
  }
  const { id, roles, tenant, scopes, models, expiresAtMs } = principal;
  return { id, roles, tenant, scopes, models, expiresAtMs };
}

function isPrincipal({ id, roles, tenant, scopes, models }: Principal): boolean {
  const isList = (value: unknown) => value === undefined || Array.isArray(value);
  return (
    typeof id === 'string' &&
    id !== '' &&
    Array.isArray(roles) &&
    (tenant === undefined || (typeof tenant === 'string' && tenant !== '')) &&
    isList(scopes) &&
    isList(models)
  );
}

/** The host app's own check said no; what it goes by is not ours to name. */
function notSignedIn(reason: string): KitFailure {
  return new KitFailure('unauthorized', 'You are not signed in. Sign in and try again.', { reason });
}

/** The one answer for every credential that is missing or wrong (RFC 6750 §3). */
export function unauthorized(reason: string): KitFailure {
  return new KitFailure(
    'unauthorized',
    'The request carries no valid credential. Send a current token as "Authorization: Bearer …".',
    { reason, headers: { 'www-authenticate': 'Bearer' } },
  );
}
