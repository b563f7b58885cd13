import { isStreamEvent, type StreamEvent } from '@ziggie/llm-protocol';
import { onTestFinished } from 'vitest';
import type { ServerKitOptions } from '../../src/index.ts';
import { type Ask, type Bench, DrivenClock, startBench } from '../harness.ts';
import {
  chunk,
  lastRecord,
  type RawExchange,
  type RawOllama,
  startRawOllama,
  streamEnd,
  streamHead,
  textRecord,
} from '../raw-ollama.ts';

/** A model server whose every word the test says when it wants. */
export interface Pacer {
  raw: RawOllama;
  /** Waits for the n-th generation. */
  exchange(at?: number): Promise<RawExchange>;
  say(...texts: string[]): Promise<void>;
  finish(): Promise<void>;
  /** How many generations have been asked for. */
  readonly generations: number;
}

export async function startPacer(): Promise<Pacer> {
  const raw = await startRawOllama(() => {});
  onTestFinished(() => raw.close());
  const begun = new Set<RawExchange>();
  const exchange = async (at = 0) => {
    for (let tries = 0; raw.exchanges[at] === undefined; tries++) {
      if (tries > 2000) throw new Error('Nobody asked the model server.');
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return raw.exchanges[at] as RawExchange;
  };
  const write = async (records: string[], end = '') => {
    const one = await exchange(raw.exchanges.length > 0 ? raw.exchanges.length - 1 : 0);
    if (!begun.has(one)) one.socket.write(streamHead);
    begun.add(one);
    for (const record of records) one.socket.write(chunk(record));
    if (end) one.socket.write(end);
  };
  return {
    raw,
    exchange,
    say: (...texts) => write(texts.map(textRecord)),
    finish: () => write([lastRecord], streamEnd),
    get generations() {
      return raw.exchanges.length;
    },
  };
}

export const rawQuestion = { model: 'raw', messages: [{ role: 'user', content: 'Hello' }] };

const noRates = {
  requestsPerMinute: Number.POSITIVE_INFINITY,
  requestsPerMinutePerAddress: Number.POSITIVE_INFINITY,
};

/** A kit in front of a paced model server. */
export async function startNode(
  pacer: Pacer,
  options: Partial<ServerKitOptions> = {},
): Promise<Bench & { clock: DrivenClock }> {
  const clock = new DrivenClock();
  const bench = await startBench({ upstreams: [{ url: pacer.raw.url }], limits: noRates, clock, ...options });
  return Object.assign(bench, { clock });
}

/** A reader of a stream that takes one event at a time. */
export class EventReader {
  readonly response: Response;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  /** Every byte so far, as text. */
  text = '';
  #at = 0;
  readonly events: StreamEvent[] = [];

  constructor(response: Response) {
    if (!response.body) throw new Error('The answer has no body.');
    this.response = response;
    this.#reader = response.body.getReader();
  }

  /** The next event; `undefined` at the end. */
  async next(): Promise<StreamEvent | undefined> {
    for (;;) {
      const end = this.text.indexOf('\n', this.#at);
      if (end !== -1) {
        const line = this.text.slice(this.#at, end);
        this.#at = end + 1;
        if (line === '') continue;
        const event: unknown = JSON.parse(line);
        if (!isStreamEvent(event)) throw new Error('A line of the stream is not an event.');
        this.events.push(event);
        return event;
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.text += this.#decoder.decode(value, { stream: true });
    }
  }

  /** Reads until an event of this type is there. */
  async until(type: StreamEvent['type']): Promise<StreamEvent> {
    for (;;) {
      const event = await this.next();
      if (event === undefined) throw new Error(`The stream ended without ${type}.`);
      if (event.type === type) return event;
    }
  }

  /** Reads so many pieces of text. */
  async pieces(count: number): Promise<void> {
    for (let at = 0; at < count; at++) await this.until('text-delta');
  }

  async rest(): Promise<StreamEvent[]> {
    while (await this.next());
    return this.events;
  }

  get said(): string {
    return this.events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
  }

  get lastSeq(): number {
    return this.events.at(-1)?.seq ?? -1;
  }

  leave(): Promise<void> {
    return this.#reader.cancel();
  }
}

/** Asks a resumable question, until its `start` is out. */
export async function ask(
  node: Bench & { clock: DrivenClock },
  pacer: Pacer,
  more: Ask & { body?: object } = {},
): Promise<EventReader> {
  const body = { ...rawQuestion, resume: true, ...more.body };
  const { generations } = pacer;
  const answering = node.answer('/chat', { ...more, body });
  await pacer.exchange(generations);
  await node.clock.drive(501);
  return new EventReader(await answering);
}

/** Comes back to a stream. */
export async function comeBack(node: Bench, id: string, after: number, more: Ask = {}): Promise<EventReader> {
  return new EventReader(await node.answer(`/streams/${id}?after=${after}`, more));
}

export function idOf(reader: EventReader): string {
  return reader.response.headers.get('x-ziggie-stream-id') ?? '';
}
