import {
  type DoneEvent,
  type ErrorEvent,
  SSE_CONTENT_TYPE,
  type StreamEventBody,
  type ToolCallEvent,
  type UsageEvent,
} from '@ziggie/llm-protocol';
import { sse, waitingComment } from '../json-forms.ts';
import { openAiError } from '../openai/failure.ts';
import { seconds } from '../openai/write-chat.ts';
import type { AnswerForm, RunFacts, WholeAnswer } from '../surface.ts';
import {
  callItem,
  type ItemStatus,
  messageItem,
  reasoningItem,
  reasoningPart,
  textPart,
  usageOf,
} from './items.ts';

type Echo = Readonly<Record<string, unknown>>;
type Status = 'in_progress' | 'completed' | 'incomplete' | 'failed';

/**
 * `/v1/responses`: named, numbered events in the order that OpenAI documents, every item opened and closed, and no `[DONE]`.
 * A stream that fails ends with `response.failed` and an `error`, which OpenAI's SDK throws; never with `response.completed`.
 */
export function responseForm(streams: boolean, echo: Echo): AnswerForm {
  return {
    streams,
    framing: (facts) => {
      const stream = new ResponseStream(facts, echo);
      return { contentType: SSE_CONTENT_TYPE, heartbeat: ':\n\n', encode: (event) => stream.encode(event) };
    },
    whole: (answer, facts) => whole(answer, facts, echo),
  };
}

/** The answer as an object, at any moment of its life. */
function responseOf(
  run: string,
  facts: RunFacts,
  echo: Echo,
  status: Status,
  output: readonly unknown[],
  more: { usage?: UsageEvent | undefined; createdAt: number; error?: unknown },
): Record<string, unknown> {
  return {
    id: `resp_${run}`,
    object: 'response',
    created_at: more.createdAt,
    status,
    background: false,
    completed_at: status === 'completed' ? seconds(facts) : null,
    error: more.error ?? null,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    ...echo,
    model: facts.model,
    output,
    usage: more.usage ? usageOf(more.usage) : null,
  };
}

function whole(
  { text, thinking, toolCalls, usage, done }: WholeAnswer,
  facts: RunFacts,
  echo: Echo,
): unknown {
  const status = statusOf(done);
  const ids = (kind: string, at: number) => `${kind}_${facts.id}_${at}`;
  const output: unknown[] = [];
  if (thinking !== '') output.push(reasoningItem(ids('rs', output.length), 'completed', thinking));
  if (text !== '' || toolCalls.length === 0) {
    output.push(messageItem(ids('msg', output.length), status, text));
  }
  for (const call of toolCalls) {
    output.push(callItem(ids('fc', output.length), 'completed', call, JSON.stringify(call.arguments)));
  }
  return responseOf(facts.id, facts, echo, status, output, { usage, createdAt: seconds(facts) });
}

function statusOf({ finishReason }: DoneEvent): 'completed' | 'incomplete' {
  return finishReason === 'length' ? 'incomplete' : 'completed';
}

/** The item that is being written. */
interface OpenItem {
  kind: 'message' | 'reasoning';
  id: string;
  text: string;
}

/** One answer as its events. */
class ResponseStream {
  readonly #facts: RunFacts;
  readonly #echo: Echo;
  readonly #createdAt: number;
  #run: string;
  #sequence = 0;
  /** Items that are closed; the open one comes after them. */
  readonly #output: unknown[] = [];
  #open: OpenItem | undefined;
  #usage: UsageEvent | undefined;

  constructor(facts: RunFacts, echo: Echo) {
    this.#facts = facts;
    this.#echo = echo;
    this.#run = facts.id;
    this.#createdAt = seconds(facts);
  }

  encode(event: StreamEventBody): string {
    switch (event.type) {
      case 'start':
        this.#run = event.id;
        return (
          this.#named('response.created', { response: this.#response('in_progress') }) +
          this.#named('response.in_progress', { response: this.#response('in_progress') })
        );
      case 'text-delta':
        return this.#piece('message', event.text);
      case 'thinking-delta':
        return this.#piece('reasoning', event.text);
      case 'tool-call':
        return this.#close('completed') + this.#call(event);
      case 'usage':
        this.#usage = event;
        return '';
      case 'done':
        return this.#done(event);
      case 'error':
        return this.#failed(event);
      case 'queued':
      case 'loading':
        return waitingComment({ ...event });
      default:
        return '';
    }
  }

  #piece(kind: OpenItem['kind'], text: string): string {
    const before = this.#open?.kind === kind ? '' : this.#close('completed') + this.#begin(kind);
    const open = this.#open as OpenItem;
    open.text += text;
    const type = kind === 'message' ? 'response.output_text.delta' : 'response.reasoning_text.delta';
    return before + this.#named(type, { ...this.#place(open), delta: text, ...logprobs(kind) });
  }

  #begin(kind: OpenItem['kind']): string {
    const id = `${kind === 'message' ? 'msg' : 'rs'}_${this.#run}_${this.#output.length}`;
    const open: OpenItem = { kind, id, text: '' };
    this.#open = open;
    return (
      this.#named('response.output_item.added', {
        output_index: this.#output.length,
        item: itemOf(open, 'in_progress', undefined),
      }) + this.#named('response.content_part.added', { ...this.#place(open), part: partOf(kind, '') })
    );
  }

  /** Ends the item that is open. */
  #close(status: ItemStatus): string {
    const open = this.#open;
    if (open === undefined) return '';
    this.#open = undefined;
    const { kind, text } = open;
    const place = this.#place(open);
    const item = itemOf(open, status, text);
    const type = kind === 'message' ? 'response.output_text.done' : 'response.reasoning_text.done';
    const events =
      this.#named(type, { ...place, text, ...logprobs(kind) }) +
      this.#named('response.content_part.done', { ...place, part: partOf(kind, text) }) +
      this.#named('response.output_item.done', { output_index: this.#output.length, item });
    this.#output.push(item);
    return events;
  }

  #call(call: ToolCallEvent): string {
    const output_index = this.#output.length;
    const item_id = `fc_${this.#run}_${output_index}`;
    const given = JSON.stringify(call.arguments);
    const item = callItem(item_id, 'completed', call, given);
    const events =
      this.#named('response.output_item.added', {
        output_index,
        item: callItem(item_id, 'in_progress', call, ''),
      }) +
      this.#named('response.function_call_arguments.delta', { item_id, output_index, delta: given }) +
      this.#named('response.function_call_arguments.done', {
        item_id,
        output_index,
        name: call.name,
        arguments: given,
      }) +
      this.#named('response.output_item.done', { output_index, item });
    this.#output.push(item);
    return events;
  }

  #done(done: DoneEvent): string {
    const status = statusOf(done);
    // An answer of nothing is an empty message, not no message.
    const before = this.#output.length === 0 && !this.#open ? this.#begin('message') : '';
    const end = this.#close(status);
    return before + end + this.#named(`response.${status}`, { response: this.#response(status) });
  }

  #failed(event: ErrorEvent): string {
    const { code, message } = openAiError(event);
    const end = this.#close('incomplete');
    const failed = this.#response('failed', { code, message });
    return (
      end +
      this.#named('response.failed', { response: failed }) +
      this.#named('error', { code, message, param: null }, 'error')
    );
  }

  #response(status: Status, error?: unknown): Record<string, unknown> {
    return responseOf(this.#run, this.#facts, this.#echo, status, [...this.#output], {
      usage: status === 'in_progress' ? undefined : this.#usage,
      createdAt: this.#createdAt,
      error,
    });
  }

  #place({ id }: OpenItem): Record<string, unknown> {
    return { item_id: id, output_index: this.#output.length, content_index: 0 };
  }

  #named(type: string, members: Record<string, unknown>, name = type): string {
    return sse({ type, sequence_number: this.#sequence++, ...members }, name);
  }
}

function itemOf({ kind, id }: OpenItem, status: ItemStatus, text: string | undefined): unknown {
  return kind === 'message' ? messageItem(id, status, text) : reasoningItem(id, status, text);
}

function partOf(kind: OpenItem['kind'], text: string): unknown {
  return kind === 'message' ? textPart(text) : reasoningPart(text);
}

/** Events of text say that there are none; those of reasoning have no such member. */
function logprobs(kind: OpenItem['kind']): { logprobs?: [] } {
  return kind === 'message' ? { logprobs: [] } : {};
}
