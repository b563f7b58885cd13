import { hash } from 'node:crypto';
import type { KeyRecord, KeyStore } from '../../keys/key-store.ts';
import { type RedisLink, scriptOf } from './redis-link.ts';

const insertScript = scriptOf(`
if redis.call('SETNX', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('ZADD', KEYS[2], 0, ARGV[2])
redis.call('ZADD', KEYS[3], 0, ARGV[2])
return 1`);

/** Writes a record only over the one that was read. */
const swapScript = scriptOf(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
return 1`);

const touchScript = scriptOf(`
for i = 1, #ARGV, 2 do
  local known = tonumber(redis.call('HGET', KEYS[1], ARGV[i]) or '') or 0
  if tonumber(ARGV[i + 1]) > known then redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return 1`);

const maxTries = 10;

/** API keys in Redis. Needs one that writes to disk (`appendonly yes`): a key that is lost is lost. */
export class RedisKeyStore implements KeyStore {
  readonly #link: RedisLink;
  readonly #prefix: string;

  constructor(link: RedisLink, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
  }

  async get(id: string): Promise<KeyRecord | undefined> {
    const [text, lastUsed] = await this.#link.run((client) =>
      Promise.all([client.get(this.#key(id)), client.hget(this.#used, id)]),
    );
    return text === null ? undefined : recordOf(text, lastUsed);
  }

  async insert(record: KeyRecord): Promise<void> {
    const keys = [this.#key(record.id), `${this.#prefix}:ids`, this.#owner(record.ownerId)];
    const done = await this.#link.script(insertScript, keys, [JSON.stringify(record), record.id]);
    if (done !== 1) throw new Error('The id of the key is taken.');
  }

  async update(
    id: string,
    ownerId: string | undefined,
    changes: Partial<KeyRecord>,
  ): Promise<KeyRecord | undefined> {
    for (let tries = 0; tries < maxTries; tries++) {
      const text = await this.#link.run((client) => client.get(this.#key(id)));
      if (text === null) return undefined;
      const known = recordOf(text, null);
      if (ownerId !== undefined && known.ownerId !== ownerId) return undefined;
      const changed = { ...known, ...changes };
      const args = [text, JSON.stringify(changed)];
      if ((await this.#link.script(swapScript, [this.#key(id)], args)) === 1) return changed;
    }
    throw new Error('The key was changed by others all the time.');
  }

  async list(ownerId: string | undefined, after: string, limit: number): Promise<readonly KeyRecord[]> {
    const index = ownerId === undefined ? `${this.#prefix}:ids` : this.#owner(ownerId);
    const ids = await this.#link.run((client) =>
      client.zrangebylex(index, after === '' ? '-' : `(${after}`, '+', 'LIMIT', 0, limit),
    );
    if (ids.length === 0) return [];
    const [texts, lastUsed] = await this.#link.run((client) =>
      Promise.all([client.mget(ids.map((id) => this.#key(id))), client.hmget(this.#used, ...ids)]),
    );
    return texts.flatMap((text, at) => (text === null ? [] : [recordOf(text, lastUsed[at] ?? null)]));
  }

  async touch(lastUsed: ReadonlyMap<string, number>): Promise<void> {
    if (lastUsed.size === 0) return;
    await this.#link.script(touchScript, [this.#used], [...lastUsed].flat().map(String));
  }

  #key(id: string): string {
    return `${this.#prefix}:key:${id}`;
  }

  #owner(ownerId: string): string {
    return `${this.#prefix}:owner:${hash('sha256', ownerId, 'base64url')}`;
  }

  get #used(): string {
    return `${this.#prefix}:used`;
  }
}

/** @throws when it is not a record: a store is not believed blindly. */
function recordOf(text: string, lastUsed: string | null): KeyRecord {
  const record = JSON.parse(text) as KeyRecord;
  if (
    typeof record.hash !== 'string' ||
    typeof record.expiresAtMs !== 'number' ||
    !Array.isArray(record.roles)
  ) {
    throw new TypeError('Redis gave no key record.');
  }
  return { ...record, lastUsedAtMs: lastUsed === null ? null : Number(lastUsed) };
}
