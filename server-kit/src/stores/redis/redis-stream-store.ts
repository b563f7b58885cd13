import { isTerminal, type StreamEvent } from '@ziggie/llm-protocol';
import { pageEvents, storedEvent } from '../../streams/stored-event.ts';
import {
  type Claim,
  type StreamBounds,
  type StreamHead,
  type StreamPage,
  type StreamStore,
  type WriterNews,
  writerLifeMs,
} from '../../streams/stream-store.ts';
import type { OnLate, RedisLink } from './redis-link.ts';
import type { RedisNotices } from './redis-notices.ts';
import {
  appendScript,
  claimScript,
  openScript,
  readScript,
  renewScript,
  stopScript,
  unclaimScript,
} from './stream-scripts.ts';

/** Answers in Redis streams: a reader whose process or connection is gone goes on in another one. */
export class RedisStreamStore implements StreamStore {
  readonly #link: RedisLink;
  readonly #notices: RedisNotices;
  readonly #prefix: string;
  readonly #now: () => number;

  constructor(link: RedisLink, notices: RedisNotices, prefix: string, now: () => number) {
    this.#link = link;
    this.#notices = notices;
    this.#prefix = prefix;
    this.#now = now;
  }

  async open(id: string, { ownerKey, model }: StreamHead, bounds: StreamBounds): Promise<boolean> {
    const { keepMs, maxPerOwner } = bounds;
    const args = [
      id,
      ownerKey,
      model,
      this.#now(),
      keepMs,
      writerLifeMs,
      maxPerOwner,
      `${this.#prefix}:log:`,
    ];
    const keys = [...this.#keys(id), `${this.#prefix}:of:${ownerKey}`];
    return (await this.#link.script(openScript, keys, args.map(String))) === 1;
  }

  async append(id: string, events: readonly StreamEvent[], bounds: StreamBounds): Promise<WriterNews> {
    return this.#append(id, events, bounds, false);
  }

  async bury(id: string, last: StreamEvent, bounds: StreamBounds): Promise<void> {
    await this.#append(id, [last], bounds, true);
  }

  async renew(ids: readonly string[], { keepMs }: StreamBounds): Promise<readonly string[]> {
    const wanted = await Promise.all(
      ids.map((id) => this.#link.script(renewScript, this.#keys(id), [String(keepMs), String(writerLifeMs)])),
    );
    return ids.filter((_, at) => wanted[at] === 1);
  }

  async find(id: string): Promise<StreamHead | undefined> {
    const [ownerKey, model] = await this.#link.run((client) =>
      client.hmget(`${this.#log(id)}:head`, 'owner', 'model'),
    );
    return ownerKey && model ? { ownerKey, model } : undefined;
  }

  async read(id: string, after: number, stayMs: number): Promise<StreamPage | undefined> {
    const first = Math.max(0, after + 1);
    const args = [first, pageEvents, Math.ceil(stayMs)].map(String);
    const found = await this.#link.script(readScript, this.#keys(id), args);
    if (!Array.isArray(found)) return undefined;
    const [next, ended, alive, entries] = found as [string, string, number, string[]];
    const events: StreamEvent[] = [];
    for (let at = 1; at < entries.length; at += 2) events.push(storedEvent(entries[at] as string));
    // What comes first is what was asked for, or the oldest that is kept.
    if (events.length > 0 ? events[0]?.seq !== first : Number(next) > first) return undefined;
    const writer = ended === '1' ? 'done' : alive === 1 ? 'alive' : 'gone';
    return { events, writer, next: Number(next) };
  }

  async readersStayMs(id: string): Promise<number> {
    return Math.max(0, await this.#link.run((client) => client.pttl(`${this.#log(id)}:read`)));
  }

  watch(id: string, onNews: () => void): () => void {
    return this.#notices.listen(this.#news(id), onNews);
  }

  async stop(id: string): Promise<boolean> {
    return (await this.#link.script(stopScript, this.#keys(id), [`${this.#prefix}:stop`, id])) === 1;
  }

  onStop(listener: (id: string) => void): () => void {
    return this.#notices.listen(`${this.#prefix}:stop`, listener);
  }

  async drop(id: string): Promise<void> {
    const { ownerKey } = (await this.find(id)) ?? {};
    await this.#link.run((client) => client.del(...this.#keys(id)));
    await this.#link.run((client) => client.publish(this.#news(id), id));
    if (ownerKey !== undefined) {
      await this.#link.run((client) => client.zrem(`${this.#prefix}:of:${ownerKey}`, id));
    }
  }

  async claim(key: string, { id, bodyHash }: Claim, lifeMs: number): Promise<Claim | undefined> {
    const args = [`${id} ${bodyHash}`, String(Math.ceil(lifeMs))];
    const name = this.#claim(key);
    const onLate: OnLate<unknown> = (first, client) => {
      // Whoever asked was told that the store is away: nobody would write what the key stands for.
      if (typeof first !== 'string') void client.eval(unclaimScript.text, 1, name, id).catch(() => {});
    };
    const known = await this.#link.script(claimScript, [name], args, onLate);
    if (typeof known !== 'string') return undefined;
    const space = known.indexOf(' ');
    return { id: known.slice(0, space), bodyHash: known.slice(space + 1) };
  }

  async unclaim(key: string, id: string): Promise<void> {
    await this.#link.script(unclaimScript, [this.#claim(key)], [id]);
  }

  async #append(
    id: string,
    events: readonly StreamEvent[],
    { keepMs, maxBytes }: StreamBounds,
    buries: boolean,
  ): Promise<WriterNews> {
    const last = events.at(-1);
    if (last === undefined) return 'go';
    const args = [
      keepMs,
      writerLifeMs,
      maxBytes,
      isTerminal(last) ? 1 : 0,
      buries ? 1 : 0,
      events[0]?.seq ?? 0,
      this.#news(id),
      id,
      ...events.map((event) => JSON.stringify(event)),
    ];
    const news = await this.#link.script(appendScript, this.#keys(id), args.map(String));
    return news === 'stop' || news === 'lost' ? news : 'go';
  }

  #log(id: string): string {
    return `${this.#prefix}:log:${id}`;
  }

  #keys(id: string): string[] {
    const log = this.#log(id);
    return [log, `${log}:head`, `${log}:alive`, `${log}:read`];
  }

  #news(id: string): string {
    return `${this.#prefix}:news:${id}`;
  }

  #claim(key: string): string {
    return `${this.#prefix}:claim:${key}`;
  }
}
