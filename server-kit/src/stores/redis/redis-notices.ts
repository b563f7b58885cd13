import { Cluster, type Redis } from 'ioredis';

/**
 * Notices of other processes, over a connection of its own, since one that listens can do nothing else. It is made with the
 * first listener. A notice may get lost while it is away: whoever listens looks now and then all the same.
 */
export class RedisNotices {
  readonly #client: Redis | Cluster;
  readonly #listeners = new Map<string, Set<(message: string) => void>>();
  #subscriber: Redis | Cluster | undefined;

  constructor(client: Redis | Cluster) {
    this.#client = client;
  }

  listen(channel: string, listener: (message: string) => void): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set();
    if (listeners.size === 0) {
      this.#listeners.set(channel, listeners);
      this.#connected()
        .subscribe(channel)
        // What was said before it was subscribed to has not been heard.
        .then(() => this.#tell(channel, ''))
        .catch(() => {});
    }
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0 || this.#listeners.get(channel) !== listeners) return;
      this.#listeners.delete(channel);
      this.#subscriber?.unsubscribe(channel).catch(() => {});
    };
  }

  close(): void {
    this.#subscriber?.disconnect();
    this.#subscriber = undefined;
    this.#listeners.clear();
  }

  #connected(): Redis | Cluster {
    this.#subscriber ??= this.#connect();
    return this.#subscriber;
  }

  #connect(): Redis | Cluster {
    const client = this.#client;
    // What is subscribed to while it connects is subscribed to as soon as it is there, and again after it was away.
    const waiting = { enableOfflineQueue: true, maxRetriesPerRequest: null, autoResubscribe: true };
    const subscriber =
      client instanceof Cluster ? client.duplicate([], { redisOptions: waiting }) : client.duplicate(waiting);
    subscriber.on('error', () => {});
    subscriber.on('message', (channel: string, message: string) => {
      this.#tell(channel, message);
    });
    return subscriber;
  }

  #tell(channel: string, message: string): void {
    for (const listener of [...(this.#listeners.get(channel) ?? [])]) listener(message);
  }
}
