import type { RevocationStore } from '../../auth/revocation-store.ts';
import { type RedisLink, scriptOf } from './redis-link.ts';

const revokeScript = scriptOf(`
local at, till, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local known = redis.call('GET', KEYS[1])
if known then
  local known_at, known_till = known:match('^(%d+) (%d+)$')
  at, till = math.max(at, tonumber(known_at)), math.max(till, tonumber(known_till))
end
redis.call('SET', KEYS[1], string.format('%.0f %.0f', at, till), 'PX', string.format('%.0f', math.max(1, till - now)))
return 1`);

/** Revocations in Redis: seen by every process within the 5 s that a token's good name lasts. */
export class RedisRevocationStore implements RevocationStore {
  readonly #link: RedisLink;
  readonly #prefix: string;
  readonly #now: () => number;

  constructor(link: RedisLink, prefix: string, now: () => number) {
    this.#link = link;
    this.#prefix = prefix;
    this.#now = now;
  }

  async revoke(id: string, atMs: number, untilMs: number): Promise<void> {
    await this.#link.script(revokeScript, [this.#key(id)], [atMs, untilMs, this.#now()].map(String));
  }

  async revokedAt(ids: readonly string[]): Promise<readonly (number | undefined)[]> {
    const notes = await this.#link.run((client) => client.mget(ids.map((id) => this.#key(id))));
    return notes.map((note) => {
      if (note === null) return undefined;
      const [at, until] = note.split(' ').map(Number) as [number, number];
      return until > this.#now() ? at : undefined;
    });
  }

  #key(id: string): string {
    return `${this.#prefix}:revoked:${id}`;
  }
}
