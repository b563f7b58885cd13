import { parseJson, type StreamEventBody } from '@ziggie/llm-protocol';
import type { AnswerDecoder } from './target.ts';

let runs = 0;

/** A decoder of protocol with the `start` that model servers do not send. */
export class DirectDecoder implements AnswerDecoder {
  readonly #model: string;
  readonly #inner: AnswerDecoder;
  #started = false;

  constructor(model: string, inner: AnswerDecoder) {
    this.#model = model;
    this.#inner = inner;
  }

  get ended(): boolean {
    return this.#inner.ended;
  }

  read(record: string, events: StreamEventBody[]): void {
    if (this.#started) {
      this.#inner.read(record, events);
      return;
    }
    const found: StreamEventBody[] = [];
    this.#inner.read(record, found);
    // What fails at once has not begun; what says nothing yet, such as a lone `[DONE]`, has not either.
    if (found[0]?.type !== 'error' && record.trimStart().startsWith('{')) {
      this.#started = true;
      events.push(startOf(record, this.#model));
    }
    events.push(...found);
  }

  end(events: StreamEventBody[]): void {
    this.#inner.end?.(events);
  }
}

function startOf(record: string, model: string): StreamEventBody {
  const { id, model: answers } = parseJson(record) as { id?: unknown; model?: unknown };
  return {
    type: 'start',
    id: typeof id === 'string' && id !== '' ? id : `run-${++runs}`,
    model,
    upstreamModel: typeof answers === 'string' && answers !== '' ? answers : model,
    resumable: false,
  };
}
