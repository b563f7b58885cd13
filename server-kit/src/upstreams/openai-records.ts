import type { StreamEventBody } from '@ziggie/llm-protocol';
import { OpenAiDecoder } from '@ziggie/llm-protocol/openai';
import { ByteShape } from './byte-shape.ts';
import { LearnedShape } from './learned-shape.ts';
import { endOfBody, type RecordDecoder, type RecordText } from './record-decoder.ts';

/** What stands before the record in an event of nothing but one line of data, as all of these servers write it. */
const field = Buffer.from('data: ');
const thinkingNames = ['reasoning_content', 'reasoning', 'thinking'];
const textNames = ['content', 'text'];

/** Reads the records of OpenAI's dialect, which are the data of server-sent events. */
export class OpenAiRecords implements RecordDecoder {
  readonly #decoder = new OpenAiDecoder();
  /** Every record names its answer. */
  readonly #shape = new LearnedShape(false);

  get ended(): boolean {
    return this.#decoder.ended;
  }

  read(record: RecordText, events: StreamEventBody[]): void {
    if (record === endOfBody) {
      this.#decoder.end(events);
      return;
    }
    const before = events.length;
    this.#decoder.read(record, events);
    const event = events[before];
    if (events.length !== before + 1 || event === undefined || !this.#shape.isWanted) return;
    if (event.type !== 'text-delta' && event.type !== 'thinking-delta') return;
    const names = event.type === 'thinking-delta' ? thinkingNames : textNames;
    const name = names.find((one) => record.includes(`"${one}":"`));
    this.#shape.learn(name === undefined ? undefined : ByteShape.of(record, event.text, name));
  }

  /** Gives what {@link OpenAiRecords.read} of the data would, where an event repeats an earlier one but for its piece of text. */
  readBytes(bytes: Buffer, from: number, to: number): readonly StreamEventBody[] | undefined {
    const start = from + field.length;
    if (start > to || bytes.compare(field, 0, field.length, from, start) !== 0) return undefined;
    const record = this.#shape.recordOf(bytes, start, to);
    return record === undefined ? undefined : this.#decoder.decode(record);
  }
}
