import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a {@link Teller} is asked. */
export interface Told {
  path: string;
  messages?: { role: string; content: string }[];
  prompt?: string;
  options?: { num_predict?: number };
}

/**
 * A model server that always tells the same story and goes on where an assistant's last message (or a raw prompt) stops, as a
 * template that leaves it open makes a model do; it can die behind any record, or within one.
 */
export class Teller {
  url = '';
  readonly asked: Told[] = [];
  /** Records after which the connection is reset; `undefined`: it tells all of it. */
  diesAfter: number | undefined;
  /** Bytes of the next record that still go out before. */
  diesWithin = 0;
  digest: string | undefined = 'a'.repeat(64);
  capabilities: string[] = ['completion'];
  /** Records before the story. */
  thinking: string[] = [];
  close: () => Promise<void> = async () => {};
  readonly #pieces: readonly string[];
  readonly #prompt: string;

  constructor(pieces: readonly string[], prompt = '') {
    this.#pieces = pieces;
    this.#prompt = prompt;
  }

  async start(): Promise<this> {
    const server = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (piece) => {
        text += piece;
      });
      request.on('end', () => {
        const path = request.url ?? '';
        if (request.method === 'GET') {
          const model = { name: 'raw:latest', model: 'raw:latest', size: 1, digest: this.digest };
          const models = [{ ...model, capabilities: this.capabilities }];
          response.setHeader('content-type', 'application/json');
          response.end(JSON.stringify({ models }));
          return;
        }
        const told = { path, ...(JSON.parse(text) as object) } as Told;
        this.asked.push(told);
        response.setHeader('content-type', 'application/x-ndjson');
        const records = this.#records(told);
        const end = this.diesAfter ?? records.length;
        response.write(records.slice(0, end).join(''), () => {
          if (this.diesAfter === undefined) response.end();
          else response.write((records[end] ?? '').slice(0, this.diesWithin), () => response.destroy());
        });
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.close = async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    };
    return this;
  }

  #records({ messages, prompt = '', options }: Told): string[] {
    const last = messages?.at(-1);
    const begun = messages
      ? last?.role === 'assistant'
        ? last.content
        : ''
      : prompt.slice(this.#prompt.length);
    const story = this.#pieces.join('');
    if (!story.startsWith(begun)) throw new Error(`Asked to go on from ${JSON.stringify(begun)}.`);
    let at = 0;
    const pieces = this.#pieces.filter((piece) => {
      at += piece.length;
      return at > begun.length;
    });
    const most = options?.num_predict ?? pieces.length;
    const told = pieces.slice(0, most);
    const wrap = (content: string, more: object = {}) =>
      `${JSON.stringify({
        model: 'raw',
        created_at: '2026-01-01T00:00:00Z',
        ...(messages ? { message: { role: 'assistant', content } } : { response: content }),
        done: false,
        ...more,
      })}\n`;
    const promptTokens = 10 + (this.#pieces.length - pieces.length);
    return [
      ...this.thinking.map((thinking) => wrap('', { message: { role: 'assistant', content: '', thinking } })),
      ...told.map((piece) => wrap(piece)),
      wrap('', {
        done: true,
        done_reason: told.length < pieces.length ? 'length' : 'stop',
        prompt_eval_count: promptTokens,
        eval_count: told.length,
        total_duration: 1e6,
        eval_duration: 1e6,
      }),
    ];
  }
}
