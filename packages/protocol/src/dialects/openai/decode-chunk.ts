import { RecordShape } from '../../framing/record-shape.ts';
import { parseJson } from '../../json/parse-json.ts';
import { ProtocolError } from '../../protocol-error.ts';
import type { StreamEventBody } from '../../stream-event.ts';
import { ThinkTags } from '../../thinking/think-tags.ts';
import type { FinishReason, Timings, Usage } from '../../usage.ts';
import { openAiFailure } from './error-wire.ts';
import { ToolCallAssembly } from './tool-calls.ts';
import type { OpenAiChoice, OpenAiChunk, OpenAiDelta, OpenAiToolCallDelta } from './wire.ts';

const thinkingNames = ['reasoning_content', 'reasoning', 'thinking'] as const;

/**
 * Turns the records of one streamed answer of an OpenAI-compatible server into events: chat and plain completions, of
 * OpenAI, vLLM, llama.cpp and Ollama's `/v1`, old and new.
 *
 * Gives no `start` (the caller knows the run). Tool calls come out whole, at the end. The answer is over with
 * `finish_reason`; `usage`, which follows it in a chunk of its own, is waited for until `[DONE]` or the end of the body.
 * `[DONE]` without a `finish_reason` is a broken answer: that is how these servers end after a fault.
 */
export class OpenAiDecoder {
  #ended = false;
  #closed = false;
  #finish: FinishReason | undefined;
  #usage: Usage | undefined;
  #timings: Timings = {};
  #deltas = 0;
  readonly #calls = new ToolCallAssembly();
  readonly #tags = new ThinkTags();
  #first: { id: string; model: string } | undefined;
  readonly #shape = new RecordShape();
  #shapeType: 'text-delta' | 'thinking-delta' = 'text-delta';

  /** Whether the answer is whole, or failed. A stream that ends while this is `false` broke off. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Reads the data of one server-sent event and adds its events.
   *
   * @throws {ProtocolError} `malformed_record` when it is neither a JSON object nor `[DONE]`.
   */
  read(data: string, events: StreamEventBody[]): void {
    if (this.#closed) return;
    const known = this.#finish === undefined ? this.#shape.textOf(data) : undefined;
    if (known !== undefined) {
      this.#add(this.#shapeType, known, events);
      return;
    }
    if (data.trim() === '[DONE]') {
      this.end(events);
      return;
    }
    const record = parseJson(data);
    const before = events.length;
    this.#object(record, events);
    const only = events[before];
    if (events.length !== before + 1 || this.#finish !== undefined || !this.#tags.outside) return;
    if (only?.type === 'text-delta' || only?.type === 'thinking-delta') {
      this.#shapeType = only.type;
      this.#shape.learn(data, only.text, nameOf(record as OpenAiChunk, only.type));
    }
  }

  /**
   * The events of a record that has been parsed already.
   *
   * @throws {ProtocolError} `malformed_record` when it is not an object, or belongs to another answer.
   */
  decode(record: unknown): StreamEventBody[] {
    const events: StreamEventBody[] = [];
    if (!this.#closed) this.#object(record, events);
    return events;
  }

  /** What the end of the body says: after a `finish_reason` the answer is whole also without `[DONE]`. */
  end(events: StreamEventBody[]): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#flush(events);
    if (this.#finish === undefined) return;
    this.#ended = true;
    const calls = this.#calls.finish(this.#finish === 'length');
    if (!calls) {
      events.push({
        type: 'error',
        code: 'model_output_invalid',
        message: 'The arguments of a tool call are not a JSON object.',
        status: 502,
        retryable: true,
      });
      return;
    }
    for (const call of calls) events.push({ type: 'tool-call', ...call });
    if (this.#usage) events.push({ type: 'usage', ...this.#usage });
    else if (this.#deltas > 0) {
      // About one chunk is one token; better than nothing, and said to be an estimate.
      events.push({ type: 'usage', inputTokens: 0, outputTokens: this.#deltas, source: 'estimated' });
    }
    const finishReason = this.#finish === 'length' ? 'length' : calls.length > 0 ? 'tool_calls' : 'stop';
    events.push({ type: 'done', finishReason, timings: this.#timings });
  }

  #object(record: unknown, events: StreamEventBody[]): void {
    if (typeof record !== 'object' || record === null || Array.isArray(record)) {
      throw new ProtocolError('malformed_record', 'Reading a stream: a record is not a JSON object.');
    }
    this.#chunk(record as OpenAiChunk, events);
  }

  #chunk(chunk: OpenAiChunk, events: StreamEventBody[]): void {
    const choices = Array.isArray(chunk.choices) ? (chunk.choices as (OpenAiChoice | null)[]) : [];
    // Only one answer is asked for; others would be another story.
    const choice = choices.find((one) => one && (one.index === undefined || one.index === 0));
    const error = chunk.error ?? choice?.error ?? (chunk.object === 'error' ? chunk : undefined);
    if (error !== undefined && error !== null && error !== '') {
      this.#fail(error, events);
      return;
    }
    this.#sameAnswer(chunk);
    this.#usage = usageOf(chunk.usage) ?? this.#usage;
    this.#timings = timingsOf(chunk.timings) ?? this.#timings;
    if (!choice || this.#finish !== undefined) return;

    const delta = choice.delta ?? choice.message ?? undefined;
    this.#thinking(delta, events);
    for (const text of [delta?.content, delta?.refusal, choice.text]) {
      if (typeof text === 'string') this.#add('text-delta', text, events);
    }
    if (Array.isArray(delta?.tool_calls)) {
      for (const call of delta.tool_calls) this.#calls.add(call as OpenAiToolCallDelta | null);
      this.#deltas++;
    }
    const reason = choice.finish_reason;
    if (typeof reason === 'string' && reason !== '') {
      if (reason === 'error') this.#fail(undefined, events);
      else this.#finish = reason === 'length' || reason === 'max_tokens' ? 'length' : 'stop';
    }
  }

  /**
   * A chunk with another id and another model belongs to another answer, as of a connection that was mixed up. One of the
   * two alone does not tell: ids differ per chunk on some gateways, and a model may be spelt out later.
   */
  #sameAnswer({ id, model }: OpenAiChunk): void {
    if (typeof id !== 'string' || typeof model !== 'string' || id === '' || model === '') return;
    this.#first ??= { id, model };
    if (id !== this.#first.id && model !== this.#first.model) {
      throw new ProtocolError('malformed_record', 'Reading a stream: a chunk belongs to another answer.');
    }
  }

  #thinking(delta: OpenAiDelta | undefined, events: StreamEventBody[]): void {
    for (const name of thinkingNames) {
      const text = delta?.[name];
      if (typeof text !== 'string' || text === '') continue;
      // A server with a member for it leaves no tags in the text.
      this.#flush(events);
      this.#add('thinking-delta', text, events);
      return;
    }
  }

  #add(type: 'text-delta' | 'thinking-delta', text: string, events: StreamEventBody[]): void {
    if (text === '') return;
    this.#deltas++;
    if (type === 'thinking-delta' || this.#tags.outside) events.push({ type, text });
    else this.#tags.push(text, (kind, part) => events.push({ type: `${kind}-delta`, text: part }));
  }

  #flush(events: StreamEventBody[]): void {
    this.#tags.end((kind, part) => events.push({ type: `${kind}-delta`, text: part }));
  }

  #fail(error: unknown, events: StreamEventBody[]): void {
    this.#flush(events);
    this.#ended = true;
    this.#closed = true;
    const { code, status, retryable, text } = openAiFailure(undefined, { error });
    events.push({
      type: 'error',
      code,
      message: text ?? 'The model server gave no reason.',
      status,
      retryable,
    });
  }
}

/** The member that the one event of a chunk came from. */
function nameOf(chunk: OpenAiChunk, type: 'text-delta' | 'thinking-delta'): string {
  const [choice] = chunk.choices as OpenAiChoice[];
  const delta = choice?.delta;
  if (type === 'text-delta') return typeof delta?.content === 'string' ? 'content' : 'text';
  return thinkingNames.find((name) => typeof delta?.[name] === 'string' && delta[name] !== '') ?? '';
}

function usageOf(value: unknown): Usage | undefined {
  const usage = (value ?? {}) as Record<string, unknown>;
  const inputTokens = count(usage['prompt_tokens']);
  const outputTokens = count(usage['completion_tokens']);
  // Ollama's `/v1/completions` sends zeros with every chunk.
  if (inputTokens === undefined || outputTokens === undefined || inputTokens + outputTokens === 0)
    return undefined;
  const cached = count(
    (usage['prompt_tokens_details'] as { cached_tokens?: unknown } | null | undefined)?.cached_tokens,
  );
  return {
    inputTokens,
    ...(cached === undefined ? {} : { cachedInputTokens: cached }),
    outputTokens,
    source: 'upstream',
  };
}

function timingsOf(value: unknown): Timings | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { prompt_ms: prefillMs, predicted_ms: decodeMs } = value as {
    prompt_ms?: unknown;
    predicted_ms?: unknown;
  };
  const timings: Timings = {};
  if (isDuration(prefillMs)) timings.prefillMs = prefillMs;
  if (isDuration(decodeMs)) timings.decodeMs = decodeMs;
  return timings;
}

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function count(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}
