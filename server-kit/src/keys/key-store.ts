import type { Permission } from '../auth/permissions.ts';

/** What is kept of an API key. The key itself is not, only hashes made with the pepper. Times are ms since 1970. */
export interface KeyRecord {
  id: string;
  environment: string;
  /** The principal it acts for. */
  ownerId: string;
  tenant: string | null;
  name: string;
  /** The roles its owner had when it was made. */
  roles: readonly string[];
  /** What it is limited to; `null` for all that the roles allow. */
  scopes: readonly Permission[] | null;
  /** Models it is limited to; `null` for all. */
  models: readonly string[] | null;
  /** HMAC-SHA-256 of the whole key in base64url. */
  hash: string;
  /** The hash before the last reroll, and until when it is still good. */
  previousHash: string | null;
  previousUntilMs: number | null;
  createdAtMs: number;
  expiresAtMs: number;
  revokedAtMs: number | null;
  lastUsedAtMs: number | null;
}

/** Where API keys are kept. */
export interface KeyStore {
  get(id: string): Promise<KeyRecord | undefined>;
  /** @throws {Error} when the id is taken. */
  insert(record: KeyRecord): Promise<void>;
  /**
   * Changes members of a record in one step and gives the changed one; `undefined` when there is no such key, or when
   * `ownerId` is given and is not its owner.
   */
  update(
    id: string,
    ownerId: string | undefined,
    changes: Partial<
      Pick<KeyRecord, 'hash' | 'previousHash' | 'previousUntilMs' | 'expiresAtMs' | 'revokedAtMs'>
    >,
  ): Promise<KeyRecord | undefined>;
  /** Keys with an id after `after`, by id, at most `limit`; of one owner if `ownerId` is given. */
  list(ownerId: string | undefined, after: string, limit: number): Promise<readonly KeyRecord[]>;
  /** Notes when keys were last used. An earlier time than the known one changes nothing. */
  touch(lastUsed: ReadonlyMap<string, number>): Promise<void>;
  /** Gives back what it holds. */
  close?(): Promise<void>;
}

/** API keys in the memory of this process: gone with it. */
export class MemoryKeyStore implements KeyStore {
  readonly #records = new Map<string, KeyRecord>();

  async get(id: string): Promise<KeyRecord | undefined> {
    return this.#records.get(id);
  }

  async insert(record: KeyRecord): Promise<void> {
    if (this.#records.has(record.id)) throw new Error('The id of the key is taken.');
    this.#records.set(record.id, { ...record });
  }

  async update(
    id: string,
    ownerId: string | undefined,
    changes: Partial<KeyRecord>,
  ): Promise<KeyRecord | undefined> {
    const known = this.#records.get(id);
    if (!known || (ownerId !== undefined && known.ownerId !== ownerId)) return undefined;
    const changed = { ...known, ...changes };
    this.#records.set(id, changed);
    return changed;
  }

  async list(ownerId: string | undefined, after: string, limit: number): Promise<readonly KeyRecord[]> {
    return [...this.#records.values()]
      .filter((record) => record.id > after && (ownerId === undefined || record.ownerId === ownerId))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .slice(0, limit);
  }

  async touch(lastUsed: ReadonlyMap<string, number>): Promise<void> {
    for (const [id, atMs] of lastUsed) {
      const record = this.#records.get(id);
      if (record)
        this.#records.set(id, { ...record, lastUsedAtMs: Math.max(atMs, record.lastUsedAtMs ?? 0) });
    }
  }
}
