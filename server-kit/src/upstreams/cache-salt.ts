import { createHmac, randomBytes } from 'node:crypto';
import type { PlaceAsk } from './places.ts';
import type { UpstreamCall } from './upstream-call.ts';

/** Who shares what a model server remembers of prompts: the members of a tenant, or each user with nobody. */
export type CacheSaltScope = 'tenant' | 'user';

/** Names of a purpose and its version: the secret has other uses. */
const purpose = 'ziggie vllm cache_salt 1';
/** For a kit that was given no secret: good until it ends, and no other process has it. */
const secretOfProcess = randomBytes(32);

/**
 * What keeps apart in vLLM's prefix cache what different tenants have asked. Without it the time to the first token tells
 * one tenant whether another has sent the same beginning of a prompt.
 *
 * @see https://docs.vllm.ai/en/latest/design/prefix_caching/ ("Cache Isolation for Security"): equal salts share, and a
 * salt is to be long and not to be guessed.
 */
export class CacheSalts {
  readonly #secret: Uint8Array;

  /** @param secret The same in every process, so that they share what vLLM remembers. Default one of this process alone. */
  constructor(secret: Uint8Array = secretOfProcess) {
    this.#secret = secret;
  }

  /** `undefined` where nobody has to be kept apart: callers without a tenant are all one. */
  of(scope: CacheSaltScope | undefined, { tenant, principalKey }: PlaceAsk): string | undefined {
    if (scope === undefined || (scope === 'tenant' && tenant === undefined)) return undefined;
    const whose = scope === 'tenant' ? [tenant] : [tenant ?? null, principalKey];
    // As JSON no two lists are the same text.
    return createHmac('sha256', this.#secret)
      .update(JSON.stringify([purpose, scope, ...whose]))
      .digest('base64url');
  }
}

/** The same call with a salt. Its body is an object of our own making, so it begins with a brace and has no such member. */
export function withCacheSalt({ path, body }: UpstreamCall, salt: string): UpstreamCall {
  return { path, body: `{"cache_salt":"${salt}",${body.slice(1)}` };
}
