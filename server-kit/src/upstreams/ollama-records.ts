import type { StreamEventBody } from '@ziggie/llm-protocol';
import { OllamaDecoder } from '@ziggie/llm-protocol/ollama';
import { ByteShape } from './byte-shape.ts';
import { endOfBody, type RecordDecoder, type RecordText } from './record-decoder.ts';

/** How often a shape is looked for in vain before none is looked for any more. */
const mostTries = 16;

/** Reads Ollama's records, which are lines; the end of the body says nothing. */
export class OllamaRecords implements RecordDecoder {
  readonly #decoder = new OllamaDecoder();
  /** Of the last record that said nothing but a piece of text. */
  #shape: ByteShape | undefined;
  /** How many shapes there were since one was of use. */
  #tries = 0;

  get ended(): boolean {
    return this.#decoder.ended;
  }

  read(record: RecordText, events: StreamEventBody[]): void {
    if (record === endOfBody) return;
    const before = events.length;
    this.#decoder.read(record, events);
    const event = events[before];
    if (events.length !== before + 1 || event === undefined || this.#tries >= mostTries) return;
    if (event.type !== 'text-delta' && event.type !== 'thinking-delta') return;
    this.#tries++;
    const shapeBy = (name: string) => ByteShape.of(record, event.text, name, 'created_at');
    const shape =
      event.type === 'thinking-delta' ? shapeBy('thinking') : (shapeBy('content') ?? shapeBy('response'));
    this.#shape = shape ?? this.#shape;
  }

  /** Gives what {@link OllamaRecords.read} of the text would, where a record repeats an earlier one but for its piece of text. */
  readBytes(bytes: Buffer, from: number, to: number): readonly StreamEventBody[] | undefined {
    const shape = this.#shape;
    if (shape === undefined || this.#decoder.ended) return undefined;
    const text = shape.textOf(bytes, from, to);
    if (text === undefined) return undefined;
    if (this.#tries > 0) {
      this.#tries = 0;
      this.#shape = shape.shared;
    }
    return this.#decoder.decode(shape.recordWith(text));
  }
}
