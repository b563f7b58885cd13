import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';

/** Redis does not answer, or not in time. */
export class RedisAway extends Error {
  override readonly name = 'RedisAway';
}

/** A script and the name that Redis knows it by. */
export interface Script {
  text: string;
  sha: string;
}

/** A script by its text. */
export function scriptOf(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

const failuresToOpen = 3;
const [firstPauseMs, longestPauseMs] = [250, 5000];

/** Hears what a call that was given up came to, and may set it right whether or not Redis is left alone by then. */
export type OnLate<T> = (result: T, client: Redis | Cluster) => void;

/** What a link to Redis needs. */
export interface LinkOptions {
  client: Redis | Cluster;
  /** Longest that an answer is waited for. */
  deadlineMs: number;
  /** Monotonic milliseconds. */
  now: () => number;
}

/**
 * Calls to Redis with a deadline and a breaker: slow is worse than gone, because everybody waits. After three failures in
 * a row nothing is asked for a moment, which doubles up to 5 s; then one call tries.
 */
export class RedisLink {
  readonly #options: LinkOptions;
  #failures = 0;
  #openUntil = 0;
  #probing = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /**
   * @param onLate Gets the result of a call that was given up and answered all the same.
   * @throws {RedisAway}
   */
  async run<T>(call: (client: Redis | Cluster) => Promise<T>, onLate?: OnLate<T>): Promise<T> {
    const { client, deadlineMs, now } = this.#options;
    const isOpen = this.#failures >= failuresToOpen;
    if (isOpen && (this.#probing || now() < this.#openUntil))
      throw new RedisAway('Redis is being left alone.');
    if (isOpen) this.#probing = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      // A client that is not connected may queue the call and run it much later.
      if (client.status !== 'ready') throw new RedisAway('Redis is not connected.');
      let isLate = false;
      const answer = call(client);
      answer.then(
        (result) => isLate && onLate?.(result, client),
        () => {},
      );
      const deadline = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          isLate = true;
          reject(new RedisAway('Redis did not answer in time.'));
        }, deadlineMs);
        timer.unref?.();
      });
      const result = await Promise.race([answer, deadline]);
      this.#failures = 0;
      return result;
    } catch (thrown) {
      this.#failures++;
      const pauseMs = firstPauseMs * 2 ** Math.min(10, Math.max(0, this.#failures - failuresToOpen));
      this.#openUntil = now() + Math.min(longestPauseMs, pauseMs);
      throw thrown instanceof RedisAway ? thrown : new RedisAway('Redis failed.');
    } finally {
      clearTimeout(timer);
      if (isOpen) this.#probing = false;
    }
  }

  /** Runs a script, by its name when Redis has it. @throws {RedisAway} */
  script(
    { text, sha }: Script,
    keys: readonly string[],
    args: readonly string[],
    onLate?: OnLate<unknown>,
  ): Promise<unknown> {
    return this.run(async (client) => {
      try {
        return await client.evalsha(sha, keys.length, ...keys, ...args);
      } catch (thrown) {
        if (!(thrown instanceof Error) || !thrown.message.includes('NOSCRIPT')) throw thrown;
        return await client.eval(text, keys.length, ...keys, ...args);
      }
    }, onLate);
  }
}
