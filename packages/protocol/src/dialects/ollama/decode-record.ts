import { RecordShape } from '../../framing/record-shape.ts';
import { parseJson } from '../../json/parse-json.ts';
import { ProtocolError } from '../../protocol-error.ts';
import type { StreamEventBody } from '../../stream-event.ts';
import { ThinkTags } from '../../thinking/think-tags.ts';
import type { FinishReason, Timings } from '../../usage.ts';
import { classifyOllamaError, ollamaErrorText } from './error-wire.ts';
import type { OllamaRecord, OllamaToolCall } from './wire.ts';

/**
 * Turns the records of one `/api/chat` or `/api/generate` answer into events.
 *
 * Gives no `start` (the caller knows the run) and no numbers. A record with `error` becomes an `error` event; the end
 * is `usage` and `done`. The last record's own text and tool calls come out before the end. A stream is over after
 * `done: true`, or a `done_reason` without it (some MLX builds, ollama/ollama-vscode#58); what follows is ignored.
 */
export class OllamaDecoder {
  #ended = false;
  #model: string | undefined;
  #deltas = 0;
  #toolCalls = 0;
  readonly #shape = new RecordShape('created_at');
  #shapeType: 'text-delta' | 'thinking-delta' = 'text-delta';
  readonly #tags = new ThinkTags();

  /** Whether the terminal record was seen. A stream that ends while this is `false` broke off. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Reads one record from its text and adds its events. Gives what `decode(parseJson(text))` gives, at a fraction of the
   * cost where a record repeats the last one but for its piece of text.
   *
   * @throws {ProtocolError} as {@link parseJson} and {@link OllamaDecoder.decode}.
   */
  read(text: string, events: StreamEventBody[]): void {
    const known = this.#ended ? undefined : this.#shape.textOf(text);
    if (known === undefined) {
      const record = parseJson(text) as OllamaRecord;
      const found = this.decode(record);
      const [only] = found;
      if (found.length === 1 && (only?.type === 'text-delta' || only?.type === 'thinking-delta')) {
        this.#shapeType = only.type;
        const name = record.message ? 'content' : 'response';
        if (this.#tags.outside)
          this.#shape.learn(text, only.text, only.type === 'text-delta' ? name : 'thinking');
      }
      for (const event of found) events.push(event);
    } else if (known !== '') {
      this.#deltas++;
      events.push({ type: this.#shapeType, text: known });
    }
  }

  /** @throws {ProtocolError} `malformed_record` when the record is JSON but not an object. */
  decode(record: unknown): StreamEventBody[] {
    if (this.#ended) return [];
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      throw new ProtocolError(
        'malformed_record',
        'Reading a stream of Ollama: a record is not a JSON object.',
      );
    }
    const wire = record as OllamaRecord;
    if (wire.error !== undefined && wire.error !== null && wire.error !== '') return this.#fail(wire.error);

    this.#sameAnswer(wire.model);
    const events: StreamEventBody[] = [];
    const message = typeof wire.message === 'object' && wire.message !== null ? wire.message : undefined;
    const thinking = message?.thinking ?? wire.thinking;
    const text = message?.content ?? wire.response;
    if (typeof thinking === 'string' && thinking !== '') {
      // A server with a member for it leaves no tags in the text.
      this.#flush(events);
      this.#deltas++;
      events.push({ type: 'thinking-delta', text: thinking });
    }
    if (typeof text === 'string' && text !== '') {
      this.#deltas++;
      if (this.#tags.outside) events.push({ type: 'text-delta', text });
      else this.#tags.push(text, (kind, part) => events.push({ type: `${kind}-delta`, text: part }));
    }
    const calls = message?.tool_calls ?? wire.tool_calls;
    if (Array.isArray(calls)) for (const call of calls) this.#toolCall(call as OllamaToolCall, events);

    if (wire.done === true || (typeof wire.done_reason === 'string' && wire.done_reason !== ''))
      this.#end(wire, events);
    return events;
  }

  /** Every record names the model; another one belongs to another answer, as of a connection that was mixed up. */
  #sameAnswer(model: unknown): void {
    if (typeof model !== 'string' || model === '') return;
    this.#model ??= model;
    if (model !== this.#model && bare(model) !== bare(this.#model)) {
      throw new ProtocolError(
        'malformed_record',
        'Reading a stream of Ollama: a record names another model.',
      );
    }
  }

  #flush(events: StreamEventBody[]): void {
    this.#tags.end((kind, part) => events.push({ type: `${kind}-delta`, text: part }));
  }

  #fail(error: unknown): StreamEventBody[] {
    this.#ended = true;
    const events: StreamEventBody[] = [];
    this.#flush(events);
    const text = ollamaErrorText(error);
    const { code, status, retryable } = classifyOllamaError(undefined, text, JSON.stringify(error));
    events.push({ type: 'error', code, message: text, status, retryable });
    return events;
  }

  #toolCall(call: OllamaToolCall, events: StreamEventBody[]): void {
    const name = call?.function?.name;
    if (typeof name !== 'string' || name === '') {
      throw new ProtocolError('malformed_record', 'Reading a stream of Ollama: a tool call has no name.');
    }
    this.#flush(events);
    const args = call.function?.arguments;
    events.push({
      type: 'tool-call',
      // Servers before v0.12.10 send no id and often index 0 for every call: order of arrival is the identity then.
      id: typeof call.id === 'string' && call.id !== '' ? call.id : `call_${this.#toolCalls}`,
      name,
      arguments: typeof args === 'object' && args !== null ? (args as Record<string, unknown>) : {},
    });
    this.#toolCalls++;
    this.#deltas++;
  }

  #end(wire: OllamaRecord, events: StreamEventBody[]): void {
    this.#ended = true;
    this.#flush(events);
    const outputTokens = count(wire.eval_count);
    const inputTokens = count(wire.prompt_eval_count);
    if (outputTokens !== undefined || inputTokens !== undefined || this.#deltas > 0) {
      events.push({
        type: 'usage',
        inputTokens: inputTokens ?? 0,
        // About one record is one token; better than nothing, and said to be an estimate.
        outputTokens: outputTokens ?? this.#deltas,
        source: outputTokens !== undefined && inputTokens !== undefined ? 'upstream' : 'estimated',
      });
    }
    events.push({
      type: 'done',
      finishReason: this.#finishReason(wire.done_reason),
      timings: timingsOf(wire),
    });
  }

  #finishReason(reason: unknown): FinishReason {
    if (reason === 'length') return 'length';
    return this.#toolCalls > 0 ? 'tool_calls' : 'stop';
  }
}

/** The durations of a terminal record, in milliseconds. What is left of the total is waiting for a slot. */
export function timingsOf(wire: OllamaRecord): Timings {
  const timings: Timings = {};
  const totalMs = milliseconds(wire.total_duration);
  const loadMs = milliseconds(wire.load_duration);
  const prefillMs = milliseconds(wire.prompt_eval_duration);
  const decodeMs = milliseconds(wire.eval_duration);
  if (totalMs !== undefined) {
    timings.totalMs = totalMs;
    if (decodeMs !== undefined) {
      timings.queueMs = Math.max(0, round(totalMs - (loadMs ?? 0) - (prefillMs ?? 0) - decodeMs));
    }
  }
  if (loadMs !== undefined) timings.loadMs = loadMs;
  if (prefillMs !== undefined) timings.prefillMs = prefillMs;
  if (decodeMs !== undefined) timings.decodeMs = decodeMs;
  return timings;
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER
    ? Math.trunc(value)
    : undefined;
}

function milliseconds(nanoseconds: unknown): number | undefined {
  if (typeof nanoseconds !== 'number' || !Number.isFinite(nanoseconds) || nanoseconds < 0) return undefined;
  return round(nanoseconds / 1e6);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** A name without the tag that stands for none. */
function bare(model: string): string {
  return model.replace(/:latest$/, '');
}
