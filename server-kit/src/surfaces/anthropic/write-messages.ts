import {
  SSE_CONTENT_TYPE,
  type StreamEventBody,
  type ToolCallEvent,
  type UsageEvent,
} from '@ziggie/llm-protocol';
import type { Framing } from '../../answer/framing.ts';
import { aroundText } from '../../answer/json-string.ts';
import { sse } from '../json-forms.ts';
import type { AnswerForm, RunFacts, WholeAnswer } from '../surface.ts';
import { anthropicError } from './failure.ts';

/** `/v1/messages`: named events and content blocks as Anthropic documents them, `ping` as the sign of life. */
export function messagesForm(streams: boolean): AnswerForm {
  return { streams, framing: messagesFraming, whole };
}

type Block = 'text' | 'thinking';
const ping = named({ type: 'ping' });

function messagesFraming(facts: RunFacts): Framing {
  let open: Block | undefined;
  let index = -1;
  let delta = (text: string) => text;
  let usage: UsageEvent | undefined;

  const close = (): string => {
    if (open === undefined) return '';
    open = undefined;
    return named({ type: 'content_block_stop', index });
  };
  const piece = (block: Block, text: string): string => {
    let before = '';
    if (open !== block) {
      before = close();
      index++;
      open = block;
      before += named({ type: 'content_block_start', index, content_block: emptyBlock(block) });
      delta = aroundText((one) => named({ type: 'content_block_delta', index, delta: deltaOf(block, one) }));
    }
    return before + delta(text);
  };
  const tool = ({ id, name, arguments: given }: ToolCallEvent): string => {
    const before = close();
    index++;
    return (
      before +
      named({
        type: 'content_block_start',
        index,
        content_block: { type: 'tool_use', id, name, input: {} },
      }) +
      named({
        type: 'content_block_delta',
        index,
        delta: { type: 'input_json_delta', partial_json: JSON.stringify(given) },
      }) +
      named({ type: 'content_block_stop', index })
    );
  };
  const encode = (event: StreamEventBody): string => {
    switch (event.type) {
      case 'start':
        return named({
          type: 'message_start',
          message: {
            ...messageHead(event.id, facts.model),
            content: [],
            stop_reason: null,
            stop_sequence: null,
            // The real count is known at the end only, and is in `message_delta`.
            usage: { input_tokens: facts.estimatedInputTokens, output_tokens: 0 },
          },
        });
      case 'text-delta':
        return piece('text', event.text);
      case 'thinking-delta':
        return piece('thinking', event.text);
      case 'tool-call':
        return tool(event);
      case 'usage':
        usage = event;
        return '';
      case 'done':
        return (
          close() +
          named({
            type: 'message_delta',
            delta: { stop_reason: stopReason(event.finishReason), stop_sequence: null },
            usage: usageOf(usage, facts),
          }) +
          named({ type: 'message_stop' })
        );
      case 'error':
        return sse(anthropicError(event, facts.requestId), 'error');
      case 'queued':
      case 'loading':
        return ping;
      default:
        return '';
    }
  };
  return { contentType: SSE_CONTENT_TYPE, heartbeat: ping, encode };
}

function whole({ text, thinking, toolCalls, usage, done }: WholeAnswer, facts: RunFacts): unknown {
  return {
    ...messageHead(facts.id, facts.model),
    content: [
      ...(thinking === '' ? [] : [{ ...emptyBlock('thinking'), thinking }]),
      ...(text === '' ? [] : [{ type: 'text', text }]),
      ...toolCalls.map(({ id, name, arguments: input }) => ({ type: 'tool_use', id, name, input })),
    ],
    stop_reason: stopReason(done.finishReason),
    stop_sequence: null,
    usage: usageOf(usage, facts),
  };
}

function named(data: { type: string; [member: string]: unknown }): string {
  return sse(data, data.type);
}

function messageHead(run: string, model: string) {
  return { id: `msg_${run}`, type: 'message', role: 'assistant', model };
}

/** A block before its first piece. Nobody here can sign thinking, so its signature is empty. */
function emptyBlock(block: Block): Record<string, string> {
  return block === 'text' ? { type: 'text', text: '' } : { type: 'thinking', thinking: '', signature: '' };
}

function deltaOf(block: Block, text: string): Record<string, string> {
  return block === 'text' ? { type: 'text_delta', text } : { type: 'thinking_delta', thinking: text };
}

function stopReason(reason: 'stop' | 'length' | 'tool_calls'): string {
  if (reason === 'tool_calls') return 'tool_use';
  return reason === 'length' ? 'max_tokens' : 'end_turn';
}

function usageOf(usage: UsageEvent | undefined, { estimatedInputTokens }: RunFacts): unknown {
  if (!usage) return { input_tokens: estimatedInputTokens, output_tokens: 0 };
  const cached = usage.cachedInputTokens;
  return {
    // Anthropic counts what came out of the cache beside, not within.
    input_tokens: usage.inputTokens - (cached ?? 0),
    output_tokens: usage.outputTokens,
    ...(cached === undefined ? {} : { cache_read_input_tokens: cached }),
  };
}
