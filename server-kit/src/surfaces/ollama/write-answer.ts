import {
  NDJSON_CONTENT_TYPE,
  type StreamEventBody,
  type Timings,
  type ToolCallEvent,
  type UsageEvent,
} from '@ziggie/llm-protocol';
import type { Framing } from '../../answer/framing.ts';
import { jsonString } from '../../answer/json-string.ts';
import type { KitFailure } from '../../failure.ts';
import { JSON_TYPE } from '../json-forms.ts';
import type { AnswerForm, FailureBody, RunFacts, WholeAnswer } from '../surface.ts';

type Kind = 'chat' | 'generate';

/** Ollama's records, as `api/types.go` writes them: in NDJSON, or one at the end. */
export function ollamaForm(kind: Kind, streams: boolean): AnswerForm {
  return {
    streams,
    framing: (facts) => new OllamaFraming(kind, facts),
    whole: (answer, facts) => wholeRecord(kind, answer, facts),
  };
}

/** `{"error": "…"}`, which is all that Ollama's clients read of a failure. */
export function ollamaFailure({ message }: KitFailure): FailureBody {
  return { contentType: JSON_TYPE, body: { error: message } };
}

/** The records of one answer, as Ollama writes them. */
class OllamaFraming implements Framing {
  readonly contentType = NDJSON_CONTENT_TYPE;
  readonly #kind: Kind;
  readonly #facts: RunFacts;
  /** What stands before the time, before the text, and behind it, in a piece of text: one comes per token. */
  readonly #before: string;
  readonly #middle: string;
  readonly #after: string;
  #usage: UsageEvent | undefined;
  #calls = 0;

  constructor(kind: Kind, facts: RunFacts) {
    this.#kind = kind;
    this.#facts = facts;
    this.#before = `{"model":${JSON.stringify(facts.model)},"created_at":"`;
    const isChat = kind === 'chat';
    this.#middle = isChat ? '","message":{"role":"assistant","content":' : '","response":';
    this.#after = isChat ? '},"done":false}\n' : ',"done":false}\n';
  }

  /** Nothing in Ollama's form says that somebody waits; an empty piece shows that the line is alive. */
  get heartbeat(): string {
    return this.#text('');
  }

  encode(event: StreamEventBody): string {
    switch (event.type) {
      case 'text-delta':
        return this.#text(event.text);
      case 'thinking-delta':
        return this.#piece({ thinking: event.text });
      case 'tool-call':
        return this.#piece({ tool_calls: [toolCall(event, this.#calls++)] });
      case 'usage':
        this.#usage = event;
        return '';
      case 'done':
        return this.#line({
          ...said(this.#kind, ''),
          done: true,
          done_reason: event.finishReason === 'length' ? 'length' : 'stop',
          ...metrics(event.timings, this.#usage),
        });
      case 'error':
        return `${JSON.stringify({ error: event.message })}\n`;
      default:
        return '';
    }
  }

  #text(text: string): string {
    return this.#before + stamp(this.#facts) + this.#middle + jsonString(text) + this.#after;
  }

  #piece(more: Record<string, unknown>): string {
    return this.#line({ ...said(this.#kind, '', more), done: false });
  }

  #line(members: Record<string, unknown>): string {
    return `${JSON.stringify({ model: this.#facts.model, created_at: stamp(this.#facts), ...members })}\n`;
  }
}

function wholeRecord(
  kind: Kind,
  { text, thinking, toolCalls, usage, done }: WholeAnswer,
  facts: RunFacts,
): unknown {
  return {
    model: facts.model,
    created_at: stamp(facts),
    ...said(kind, text, {
      ...(thinking === '' ? {} : { thinking }),
      ...(toolCalls.length > 0 ? { tool_calls: toolCalls.map(toolCall) } : {}),
    }),
    done: true,
    done_reason: done.finishReason === 'length' ? 'length' : 'stop',
    ...metrics(done.timings, usage),
  };
}

function said(kind: Kind, content: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return kind === 'chat'
    ? { message: { role: 'assistant', content, ...more } }
    : { response: content, ...more };
}

function toolCall({ id, name, arguments: given }: ToolCallEvent, index: number): unknown {
  return { id, function: { index, name, arguments: given } };
}

let stampedMs = Number.NaN;
let stamped = '';
let stampedSecond = Number.NaN;
/** Up to the point behind the seconds. */
let beginning = '';

/** The time as text. Many records are written within one millisecond, and the text is dear; what is before the point is kept. */
function stamp({ now }: RunFacts): string {
  const ms = Math.trunc(now());
  if (ms === stampedMs) return stamped;
  const second = Math.floor(ms / 1000);
  if (second !== stampedSecond) {
    beginning = new Date(second * 1000).toISOString().slice(0, -4);
    stampedSecond = second;
  }
  stamped = `${beginning}${String(ms - second * 1000).padStart(3, '0')}Z`;
  stampedMs = ms;
  return stamped;
}

/** Counts, and durations in ns; a number nobody knows is absent, as in Ollama's own records. */
function metrics(
  { totalMs, loadMs, prefillMs, decodeMs }: Timings,
  usage: UsageEvent | undefined,
): Record<string, number | undefined> {
  return {
    total_duration: nanoseconds(totalMs),
    load_duration: nanoseconds(loadMs),
    prompt_eval_count: known(usage?.inputTokens),
    prompt_eval_duration: nanoseconds(prefillMs),
    eval_count: known(usage?.outputTokens),
    eval_duration: nanoseconds(decodeMs),
  };
}

/** JSON leaves out what is `undefined`. */
function known(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

function nanoseconds(ms: number | undefined): number | undefined {
  return known(ms === undefined ? undefined : Math.round(ms * 1e6));
}
