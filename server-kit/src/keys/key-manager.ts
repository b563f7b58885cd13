import { type Permission, permissions } from '../auth/permissions.ts';
import type { Clock } from '../clock.ts';
import { modelPattern } from '../upstream/model-pattern.ts';
import { formatKey, newKeyId, newKeySecret } from './key-format.ts';
import type { KeyHasher } from './key-hash.ts';
import type { KeyRing } from './key-ring.ts';
import type { KeyRecord, KeyStore } from './key-store.ts';
import type { CreateKeyOptions, KeyInfo, Keys, NewKey, RerollKeyOptions } from './keys.ts';

const defaultScopes: readonly Permission[] = ['chat', 'models:read', 'me:read'];
const maxGraceSeconds = 30 * 86_400;
const maxNameLength = 100;
const maxListed = 64;

/** What handling keys needs. */
export interface KeyManagerParts {
  store: KeyStore;
  hasher: KeyHasher;
  ring: KeyRing;
  clock: Clock;
  environment: string;
  lifetimeDays: number;
}

/** {@link Keys} over a store. */
export class KeyManager implements Keys {
  readonly #parts: KeyManagerParts;

  constructor(parts: KeyManagerParts) {
    this.#parts = parts;
  }

  async create(options: CreateKeyOptions): Promise<NewKey> {
    check(options);
    const { store, hasher, clock, environment, lifetimeDays } = this.#parts;
    const now = clock.wallNow();
    const id = newKeyId();
    const key = formatKey(environment, id, newKeySecret());
    const record: KeyRecord = {
      id,
      environment,
      ownerId: options.ownerId,
      tenant: options.tenant ?? null,
      name: options.name ?? '',
      roles: [...options.roles],
      scopes: options.scopes === undefined ? defaultScopes : options.scopes && [...options.scopes],
      models: options.models ? [...options.models] : null,
      hash: hasher.hash(key),
      previousHash: null,
      previousUntilMs: null,
      createdAtMs: now,
      expiresAtMs: this.#endOf(options.expiresAt, now + lifetimeDays * 86_400_000),
      revokedAtMs: null,
      lastUsedAtMs: null,
    };
    await store.insert(record);
    return { key, info: infoOf(record) };
  }

  async list({
    ownerId,
    after = '',
    limit = 100,
  }: {
    ownerId?: string | undefined;
    after?: string | undefined;
    limit?: number | undefined;
  } = {}): Promise<{
    keys: readonly KeyInfo[];
    next: string | null;
  }> {
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
      throw new TypeError(`keys.list(): limit must be a whole number from 1 to 1000, got ${limit}.`);
    }
    const records = await this.#parts.store.list(ownerId, after, limit + 1);
    const shown = records.slice(0, limit);
    return { keys: shown.map(infoOf), next: records.length > limit ? (shown.at(-1)?.id ?? null) : null };
  }

  async revoke(id: string, { ownerId }: { ownerId?: string | undefined } = {}): Promise<KeyInfo | undefined> {
    const { store, ring, clock } = this.#parts;
    const known = await store.get(id);
    // The first end counts; ending a key twice is not an error.
    const revokedAtMs = known?.revokedAtMs ?? clock.wallNow();
    const record = await store.update(id, ownerId, {
      revokedAtMs,
      previousHash: null,
      previousUntilMs: null,
    });
    ring.forget(id);
    return record && infoOf(record);
  }

  async reroll(
    id: string,
    { graceSeconds = 0, ownerId, expiresAt }: RerollKeyOptions = {},
  ): Promise<NewKey | undefined> {
    if (!Number.isFinite(graceSeconds) || graceSeconds < 0 || graceSeconds > maxGraceSeconds) {
      throw new TypeError(
        `keys.reroll(): graceSeconds must be from 0 to ${maxGraceSeconds}, got ${graceSeconds}.`,
      );
    }
    const { store, hasher, ring, clock, environment } = this.#parts;
    const known = await store.get(id);
    if (!known || known.revokedAtMs !== null) return undefined;
    const key = formatKey(environment, id, newKeySecret());
    const record = await store.update(id, ownerId, {
      hash: hasher.hash(key),
      previousHash: graceSeconds > 0 ? known.hash : null,
      previousUntilMs: graceSeconds > 0 ? clock.wallNow() + graceSeconds * 1000 : null,
      expiresAtMs: this.#endOf(expiresAt, known.expiresAtMs),
    });
    ring.forget(id);
    return record && { key, info: infoOf(record) };
  }

  #endOf(expiresAt: Date | undefined, otherwiseMs: number): number {
    if (expiresAt === undefined) return otherwiseMs;
    const endMs = expiresAt.getTime();
    if (!(endMs > this.#parts.clock.wallNow()))
      throw new TypeError('keys: expiresAt must be a Date in the future.');
    return endMs;
  }
}

/** {@link Keys} of a kit without `auth.keys`. */
export const noKeys: Keys = {
  create: refuse,
  list: refuse,
  revoke: refuse,
  reroll: refuse,
};

async function refuse(): Promise<never> {
  throw new TypeError(
    'kit.keys: this kit has no API keys. Give auth.keys with a pepper to createServerKit().',
  );
}

function check({ ownerId, roles, name = '', scopes, models, tenant }: CreateKeyOptions): void {
  const fault = (what: string) => new TypeError(`keys.create(): ${what}.`);
  if (typeof ownerId !== 'string' || ownerId === '' || ownerId.length > 256) {
    throw fault('ownerId must be the id of a principal, 1 to 256 characters');
  }
  if (!isTextList(roles)) throw fault(`roles must be a list of at most ${maxListed} names`);
  if (typeof name !== 'string' || name.length > maxNameLength) {
    throw fault(`name must be text of at most ${maxNameLength} characters`);
  }
  if (tenant !== undefined && (typeof tenant !== 'string' || tenant === ''))
    throw fault('tenant must be text');
  if (scopes != null && !(isTextList(scopes) && scopes.every((scope) => permissions.includes(scope)))) {
    throw fault(`scopes must be a list of ${permissions.join(', ')}`);
  }
  if (
    models != null &&
    !(isTextList(models) && models.every((name) => modelPattern.safeParse(name).success))
  ) {
    throw fault(`models must be a list of at most ${maxListed} names, with a "*" at their ends at most`);
  }
}

function isTextList(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length <= maxListed &&
    value.every((one) => typeof one === 'string' && one !== '' && one.length <= 256)
  );
}

function infoOf(record: KeyRecord): KeyInfo {
  const { id, environment, name, ownerId, tenant, roles, scopes, models } = record;
  const date = (ms: number | null) => (ms === null ? null : new Date(ms));
  return {
    id,
    environment,
    name,
    ownerId,
    tenant,
    roles,
    scopes,
    models,
    createdAt: new Date(record.createdAtMs),
    expiresAt: new Date(record.expiresAtMs),
    previousUntil: date(record.previousUntilMs),
    revokedAt: date(record.revokedAtMs),
    lastUsedAt: date(record.lastUsedAtMs),
  };
}
