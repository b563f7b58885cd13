import { KeyHasher } from '../keys/key-hash.ts';
import { KeyManager, noKeys } from '../keys/key-manager.ts';
import { KeyRing } from '../keys/key-ring.ts';
import { MemoryKeyStore } from '../keys/key-store.ts';
import type { Keys } from '../keys/keys.ts';
import { LastUsed } from '../keys/last-used.ts';
import type { Settings } from '../kit-options.ts';
import type { LimitStore } from '../limits/limit-store.ts';
import { MemoryLimitStore } from '../limits/memory-limit-store.ts';
import { type Authenticate, createAuthenticate } from './authenticate.ts';
import { credentialOf } from './credential.ts';
import type { IsTakenBack } from './credential-watch.ts';
import { FailedAttempts } from './failed-attempts.ts';
import { JwtVerifier, unverifiedClaims } from './jwt.ts';
import { MemoryRevocationStore } from './revocation-store.ts';
import { RevocationBook } from './revocations.ts';
import { TokenCheck } from './token-check.ts';

/** Everything that tells people apart, put together from the settings. */
export interface Identity {
  authenticate: Authenticate;
  isTakenBack: IsTakenBack;
  keys: Keys;
  revocations: RevocationBook;
  limitStore: LimitStore;
  /** How far the clocks of token issuers are from ours, in ms. */
  issuerClockDifferenceMs(): number;
  /** Writes down what is left to write. The stores are whoever's made them. */
  close(): Promise<void>;
}

/**
 * Puts it together.
 *
 * @param onTakenBack Called when a credential was taken back here.
 */
export function createIdentity(settings: Settings, onTakenBack?: () => void): Identity {
  const { clock, logger, stores, limits } = settings;
  const limitStore = stores.limits ?? new MemoryLimitStore(clock);
  const revocations = new RevocationBook(
    stores.revocations ?? new MemoryRevocationStore(() => clock.wallNow()),
    clock,
    onTakenBack,
  );
  const verifier = settings.jwt && new JwtVerifier(settings.jwt, clock);
  const tokens = verifier && new TokenCheck(verifier, revocations, clock);
  const keyParts = settings.keys && keysOf(settings, settings.keys);
  const failedAttempts = new FailedAttempts(limitStore, limits.failedSignInsPerMinute);
  const isTakenBack: IsTakenBack = async ({ request, connection, principal, admittedAtMs, isOfHost }) => {
    // What the host app's own check would say now is not asked: its no may be an expiry.
    if (isOfHost) return revocations.hasEnded(principal.id, admittedAtMs);
    const credential = credentialOf(request, connection);
    if ('fault' in credential) return false;
    if (principal.keyId !== undefined) return (await keyParts?.ring.isTakenBack(credential.text)) ?? false;
    return revocations.isRevoked(credential.text, { principal, ...unverifiedClaims(credential.text) });
  };
  return {
    authenticate: createAuthenticate({ settings, tokens, keys: keyParts?.ring, failedAttempts }),
    isTakenBack,
    keys: keyParts?.manager ?? noKeys,
    revocations,
    limitStore,
    issuerClockDifferenceMs: () => verifier?.clockDifferenceMs ?? 0,
    close: async () => keyParts?.lastUsed.flush(),
  };

  function keysOf(
    { stores }: Settings,
    { peppers, environment, lifetimeDays, rolesOf }: NonNullable<Settings['keys']>,
  ) {
    const store = stores.keys ?? new MemoryKeyStore();
    const hasher = new KeyHasher(peppers);
    const lastUsed = new LastUsed(store, clock, logger);
    const ring = new KeyRing({
      ...{ store, hasher, clock, environment, lastUsed, rolesOf },
      onChanged: onTakenBack,
    });
    const manager = new KeyManager({ store, hasher, ring, clock, environment, lifetimeDays });
    return { ring, manager, lastUsed };
  }
}
