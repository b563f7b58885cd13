import type { Figures } from '../wire/pieces.ts';
import type { Logprob } from './logprobs.ts';
import { utcTimestamp, type WallTime } from './timestamp.ts';

/** A tool call as records carry it. */
export interface WireToolCall {
  id: string;
  function: { index: number; name: string; arguments: Record<string, unknown> };
}

/** What one record says. */
export interface RecordContent {
  text: string;
  thinking?: string | undefined;
  toolCalls?: readonly WireToolCall[] | undefined;
  doneReason?: string | undefined;
  /** Whether this record ends the answer. Default: whether it has a reason. */
  done?: boolean | undefined;
  logprobs?: readonly Logprob[] | undefined;
  figures?: Figures | undefined;
  /** The token numbers of prompt and answer, on the last record of `/api/generate`. */
  context?: readonly number[] | undefined;
}

/** Writes a record of one route. The order of the members is that of Ollama's structs. */
export type RecordWriter = (model: string, at: WallTime, content: RecordContent) => object;

export const chatRecord: RecordWriter = (model, at, content) => ({
  model,
  created_at: utcTimestamp(at),
  message: {
    role: 'assistant',
    content: content.text,
    thinking: content.thinking || undefined,
    tool_calls: content.toolCalls,
  },
  done: content.done ?? content.doneReason !== undefined,
  done_reason: content.doneReason,
  logprobs: content.logprobs,
  ...metrics(content.figures),
});

export const generateRecord: RecordWriter = (model, at, content) => ({
  model,
  created_at: utcTimestamp(at),
  response: content.text,
  thinking: content.thinking || undefined,
  done: content.done ?? content.doneReason !== undefined,
  done_reason: content.doneReason,
  context: content.context,
  ...metrics(content.figures),
  tool_calls: content.toolCalls,
  logprobs: content.logprobs,
});

function metrics(figures: Figures | undefined): object {
  if (!figures) return {};
  return {
    total_duration: nanoseconds(figures.totalMs),
    load_duration: nanoseconds(figures.loadMs),
    prompt_eval_count: figures.promptTokens || undefined,
    prompt_eval_duration: nanoseconds(figures.prefillMs),
    eval_count: figures.tokens || undefined,
    eval_duration: figures.tokens > 0 ? nanoseconds(figures.decodeMs) : undefined,
  };
}

/** At least a microsecond: work takes time, even when a clock is too coarse to show it. */
function nanoseconds(ms: number): number {
  return Math.max(1000, Math.round(ms * 1e6));
}
