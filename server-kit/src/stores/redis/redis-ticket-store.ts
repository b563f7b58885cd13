import { type TicketRecord, type TicketStore, ticketRecordOf } from '../../ws/ticket-store.ts';
import { type RedisLink, scriptOf } from './redis-link.ts';

/** GETDEL is there from Redis 6.2 on only. */
const takeScript = scriptOf(`
local record = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
return record`);

/** Tickets in Redis: one process may take what another has made. */
export class RedisTicketStore implements TicketStore {
  readonly #link: RedisLink;
  readonly #prefix: string;
  readonly #now: () => number;

  constructor(link: RedisLink, prefix: string, now: () => number) {
    this.#link = link;
    this.#prefix = prefix;
    this.#now = now;
  }

  async put(key: string, record: TicketRecord, lifeMs: number): Promise<void> {
    const text = `${Math.round(this.#now() + lifeMs)} ${JSON.stringify(record)}`;
    await this.#link.run((client) => client.set(this.#key(key), text, 'PX', Math.ceil(lifeMs)));
  }

  async take(key: string): Promise<TicketRecord | undefined> {
    const text = await this.#link.script(takeScript, [this.#key(key)], []);
    if (typeof text !== 'string') return undefined;
    const space = text.indexOf(' ');
    return Number(text.slice(0, space)) > this.#now() ? ticketRecordOf(text.slice(space + 1)) : undefined;
  }

  #key(key: string): string {
    return `${this.#prefix}:${key}`;
  }
}
