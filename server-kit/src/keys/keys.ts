import type { Permission } from '../auth/permissions.ts';

/** An API key as its owner may see it. */
export interface KeyInfo {
  id: string;
  environment: string;
  name: string;
  ownerId: string;
  tenant: string | null;
  roles: readonly string[];
  scopes: readonly Permission[] | null;
  models: readonly string[] | null;
  createdAt: Date;
  expiresAt: Date;
  /** Until when the secret before the last reroll is still good. */
  previousUntil: Date | null;
  revokedAt: Date | null;
  /** Within half a minute. */
  lastUsedAt: Date | null;
}

/** A key that was just made. */
export interface NewKey {
  /** The key itself. It is not kept and cannot be shown again. */
  key: string;
  info: KeyInfo;
}

/** What a new key is to be. */
export interface CreateKeyOptions {
  /** The principal it acts for: limits, logs and ownership count by it. */
  ownerId: string;
  /** The owner's roles. */
  roles: readonly string[];
  tenant?: string | undefined;
  /** For people, at most 100 characters. Default empty. */
  name?: string | undefined;
  /** What it is limited to. Default `chat`, `models:read` and `me:read`; `null` for all that the roles allow. */
  scopes?: readonly Permission[] | null | undefined;
  /** Models it is limited to: names, beginnings such as `llama3*`. Default all that the roles allow. */
  models?: readonly string[] | null | undefined;
  /** When it ends. Default in `auth.keys.lifetimeDays`. */
  expiresAt?: Date | undefined;
}

/** How a key gets a new secret. */
export interface RerollKeyOptions {
  /** How long the old secret is still good, in seconds. Default 0, at most 30 days. */
  graceSeconds?: number | undefined;
  /** Only if the key is this principal's. */
  ownerId?: string | undefined;
  /** When the key ends. Default as before. */
  expiresAt?: Date | undefined;
}

/** API keys as the host app handles them. Rejects with a `TypeError` when `auth.keys` is not configured. */
export interface Keys {
  /** @throws {TypeError} when an option is not usable. */
  create(options: CreateKeyOptions): Promise<NewKey>;
  /** Keys by id, also ended ones. `next` goes on after the last one and is `null` at the end. */
  list(options?: {
    ownerId?: string | undefined;
    after?: string | undefined;
    /** Default 100, at most 1000. */
    limit?: number | undefined;
  }): Promise<{ keys: readonly KeyInfo[]; next: string | null }>;
  /**
   * Ends a key, and the answers that are being written for it: at once here, within 5 s in every process that shares the
   * store. `undefined`: there is no such key.
   */
  revoke(id: string, options?: { ownerId?: string | undefined }): Promise<KeyInfo | undefined>;
  /** Gives a key a new secret under the same id. `undefined`: there is no such key, or it was revoked. */
  reroll(id: string, options?: RerollKeyOptions): Promise<NewKey | undefined>;
}
