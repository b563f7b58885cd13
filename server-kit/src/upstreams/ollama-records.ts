import type { StreamEventBody } from '@ziggie/llm-protocol';
import { OllamaDecoder } from '@ziggie/llm-protocol/ollama';
import { ByteShape } from './byte-shape.ts';
import { LearnedShape } from './learned-shape.ts';
import { endOfBody, type RecordDecoder, type RecordText } from './record-decoder.ts';

/** Reads Ollama's records, which are lines; the end of the body says nothing. */
export class OllamaRecords implements RecordDecoder {
  readonly #decoder = new OllamaDecoder();
  readonly #shape = new LearnedShape(true);

  get ended(): boolean {
    return this.#decoder.ended;
  }

  read(record: RecordText, events: StreamEventBody[]): void {
    if (record === endOfBody) return;
    const before = events.length;
    this.#decoder.read(record, events);
    const event = events[before];
    if (events.length !== before + 1 || event === undefined || !this.#shape.isWanted) return;
    if (event.type !== 'text-delta' && event.type !== 'thinking-delta') return;
    const shapeBy = (name: string) => ByteShape.of(record, event.text, name, 'created_at');
    this.#shape.learn(
      event.type === 'thinking-delta' ? shapeBy('thinking') : (shapeBy('content') ?? shapeBy('response')),
    );
  }

  /** Gives what {@link OllamaRecords.read} of the text would, where a record repeats an earlier one but for its piece of text. */
  readBytes(bytes: Buffer, from: number, to: number): readonly StreamEventBody[] | undefined {
    if (this.#decoder.ended) return undefined;
    const record = this.#shape.recordOf(bytes, from, to);
    return record === undefined ? undefined : this.#decoder.decode(record);
  }
}
