import type { KeyObject } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { JwtAlgorithm } from './auth-types.ts';
import { fits, type KeySource, KeysUnavailable, publicKeyOf } from './jwt-keys.ts';

/** How old the keys may be before they are asked for again, and before they are not believed any more. */
const maxAgeMs = 600_000;
const staleMs = 86_400_000;
/** Shortest time between two questions, whatever key ids tokens come with. */
const coolDownMs = 30_000;
const maxKeys = 100;

/** One key of a set. */
export interface RemoteKey {
  keyId: string | undefined;
  /** The only algorithm it may be used with, when the set says so. */
  algorithm: string | undefined;
  key: KeyObject;
}

/** Fetches the text of a key set, and its sender's time in ms since 1970. @throws {Error} when it cannot be had. */
export type FetchKeySet = (url: URL) => Promise<{ text: string; date: number | undefined }>;

/**
 * The keys that an issuer publishes (RFC 7517), fetched when first needed.
 *
 * A key id that is not known asks again, so that a new key works at once, but not more often than every 30 s: anybody can
 * invent key ids. Old keys that are still fresh are used while new ones are being fetched in the background.
 */
export class RemoteKeys implements KeySource {
  readonly #url: URL;
  readonly #clock: Clock;
  readonly #fetch: FetchKeySet;
  #keys: readonly RemoteKey[] = [];
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  clockDifferenceMs = 0;

  constructor(url: URL, clock: Clock, fetch: FetchKeySet) {
    this.#url = url;
    this.#clock = clock;
    this.#fetch = fetch;
  }

  async find(algorithm: JwtAlgorithm, keyId: string | undefined): Promise<readonly KeyObject[]> {
    const ageMs = this.#clock.now() - this.#fetchedAt;
    if (ageMs > staleMs) {
      await this.#refresh();
      if (this.#clock.now() - this.#fetchedAt > staleMs)
        throw new KeysUnavailable('the key set cannot be fetched');
    } else if (ageMs > maxAgeMs) void this.#refresh();
    const found = this.#matching(algorithm, keyId);
    if (found.length > 0) return found;
    await this.#refresh();
    return this.#matching(algorithm, keyId);
  }

  #matching(algorithm: JwtAlgorithm, keyId: string | undefined): KeyObject[] {
    const usable = this.#keys.filter(
      (one) =>
        (one.algorithm === undefined || one.algorithm === algorithm) &&
        (keyId === undefined || one.keyId === keyId) &&
        fits(one.key, algorithm),
    );
    // Without a key id one key may be meant; trying all of a set would let a token pick.
    return keyId === undefined && usable.length > 1 ? [] : usable.map((one) => one.key);
  }

  /** One question at a time and not too often. A failure leaves what is known as it is. */
  #refresh(): Promise<void> {
    if (this.#running !== undefined) return this.#running;
    const now = this.#clock.now();
    if (now - this.#askedAt < coolDownMs) return Promise.resolve();
    this.#askedAt = now;
    this.#running = this.#fetch(this.#url)
      .then(({ text, date }) => {
        this.#keys = keysIn(text);
        this.#fetchedAt = this.#clock.now();
        if (date !== undefined) this.clockDifferenceMs = Math.abs(date - this.#clock.wallNow());
      })
      .catch(() => {})
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }
}

/**
 * The signature keys of a key set. A key of another use or kind is left out, as RFC 7517 §5 asks; a set with a private key
 * or two keys of one id is refused whole, because its publisher has made a mistake that matters.
 *
 * @throws {TypeError}
 */
export function keysIn(text: string): RemoteKey[] {
  const { keys } = JSON.parse(text) as { keys?: unknown };
  if (!Array.isArray(keys) || keys.length > maxKeys)
    throw new TypeError('The key set has no usable list of keys.');
  const found: RemoteKey[] = [];
  const ids = new Set<string>();
  for (const jwk of keys as readonly Record<string, unknown>[]) {
    if (typeof jwk !== 'object' || jwk === null) continue;
    if (Object.hasOwn(jwk, 'd') || Object.hasOwn(jwk, 'k'))
      throw new TypeError('The key set holds a private key.');
    const { kid, alg, use, key_ops: uses } = jwk;
    if (use !== undefined && use !== 'sig') continue;
    if (Array.isArray(uses) && !uses.includes('verify')) continue;
    let key: KeyObject;
    try {
      key = publicKeyOf(jwk);
    } catch {
      continue;
    }
    if (typeof kid === 'string') {
      if (ids.has(kid)) throw new TypeError('The key set has two keys of one id.');
      ids.add(kid);
    }
    found.push({
      key,
      keyId: typeof kid === 'string' ? kid : undefined,
      algorithm: typeof alg === 'string' ? alg : undefined,
    });
  }
  return found;
}
