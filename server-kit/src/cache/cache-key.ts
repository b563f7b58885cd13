import { hash } from 'node:crypto';
import type { CacheKey } from './cache-store.ts';

/** Goes up whenever what is kept, or what a request means, changes: older entries are not found any more. */
const version = 1;

/** Who may have an answer. Both must be said, so that neither is forgotten. */
export interface CacheScope {
  /** Whose member asks. Principals without a tenant are together, and with no tenant. */
  tenant: string | undefined;
  /** Who asks, when nobody else may have the answer; `undefined` shares it within the tenant. */
  user: string | undefined;
}

/** The model that answers. */
export interface ServedModel {
  /** Its canonical name. */
  name: string;
  /** Of its files on the upstreams that have it, in order: another file under the same name is another model. */
  digests: readonly string[];
}

/**
 * The name of an answer: a hash over who may have it, the model, and all that was asked of it. A pure function; JSON frames
 * its parts, so no two different lists of them give one text.
 *
 * @param question Everything that is asked, in one form (`canonicalJson`).
 */
export function cacheKey({ tenant, user }: CacheScope, model: ServedModel, question: string): CacheKey {
  return {
    tenant: tenantHash(tenant),
    model: modelHash(model.name),
    digest: hashOf([version, tenant ?? null, user ?? null, model.name, model.digests, question]),
  };
}

/** How a tenant is called in keys. */
export function tenantHash(tenant: string | undefined): string {
  return hashOf(['tenant', tenant ?? null]).slice(0, 22);
}

/** How a model is called in keys, by its canonical name. */
export function modelHash(name: string): string {
  return hashOf(['model', name]).slice(0, 22);
}

function hashOf(parts: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url');
}
