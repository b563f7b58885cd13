import type { ErrorCode } from './error-codes.ts';
import type { FinishReason, Timings, Usage } from './usage.ts';

/** The first event of every stream. */
export interface StartEvent {
  type: 'start';
  /** Id of this run, unique for the server. */
  id: string;
  /** The model as the caller named it. */
  model: string;
  /** The model that answers. */
  upstreamModel: string;
  /** Whether a lost connection can be picked up again. */
  resumable: boolean;
  /**
   * Where the answer comes from, on a server that keeps or shares answers: it was kept (`hit`), another request is getting it
   * too (`coalesced`), a model is asked (`miss`), or nothing of the kind was looked for (`bypass`).
   */
  cache?: 'hit' | 'coalesced' | 'miss' | 'bypass' | undefined;
}

/** The request waits for a place. Sent again whenever the place changes. */
export interface QueuedEvent {
  type: 'queued';
  /** Place in the line, counted from 1. */
  position: number;
  /** How many wait in all. */
  of: number;
  /** Expected wait, or `null` while nothing is known. */
  etaMs: number | null;
}

/** The model is being brought into memory. */
export interface LoadingEvent {
  type: 'loading';
  model: string;
  elapsedMs: number;
  /** Median of earlier loads, or `null` when there was none. */
  typicalMs: number | null;
}

/** A piece of the model's thinking. */
export interface ThinkingDeltaEvent {
  type: 'thinking-delta';
  text: string;
}

/** A piece of the answer. */
export interface TextDeltaEvent {
  type: 'text-delta';
  text: string;
}

/** A tool call, always whole: name and arguments in one event. */
export interface ToolCallEvent {
  type: 'tool-call';
  id: string;
  name: string;
  arguments: Record<string, unknown>;
}

/** Made by the client only: an attempt failed after its first token, what came before is void. */
export interface RestartEvent {
  type: 'restart';
  /** Number of the attempt that follows, counted from 1. */
  attempt: number;
}

/** Token counts, once, before the end. */
export interface UsageEvent extends Usage {
  type: 'usage';
}

/** The failing end of a stream. The same code and status as an HTTP answer would have had. */
export interface ErrorEvent {
  type: 'error';
  code: ErrorCode;
  message: string;
  status: number;
  retryable: boolean;
  retryAfterMs?: number | undefined;
  requestId?: string | undefined;
}

/** The good end of a stream. */
export interface DoneEvent {
  type: 'done';
  finishReason: FinishReason;
  timings: Timings;
}

/** An event before it is numbered. */
export type StreamEventBody =
  | StartEvent
  | QueuedEvent
  | LoadingEvent
  | ThinkingDeltaEvent
  | TextDeltaEvent
  | ToolCallEvent
  | RestartEvent
  | UsageEvent
  | ErrorEvent
  | DoneEvent;

/**
 * What travels: an event and its number. `seq` counts from 0 without gaps within a stream; exactly one `done` or
 * `error` ends it.
 */
export type StreamEvent = StreamEventBody & { seq: number };

/** Whether the event ends its stream. */
export function isTerminal(event: StreamEventBody): event is DoneEvent | ErrorEvent {
  return event.type === 'done' || event.type === 'error';
}

const knownTypes: ReadonlySet<string> = new Set<StreamEventBody['type']>([
  'start',
  'queued',
  'loading',
  'thinking-delta',
  'text-delta',
  'tool-call',
  'restart',
  'usage',
  'error',
  'done',
]);

/**
 * Whether a parsed record is an event of ours: an object with a known `type` and an integer `seq`. The members of the
 * event are trusted no further than their reader needs; a newer server may send types we do not know, which are not
 * events to us.
 */
export function isStreamEvent(record: unknown): record is StreamEvent {
  if (typeof record !== 'object' || record === null) return false;
  const { type, seq } = record as { type?: unknown; seq?: unknown };
  return typeof type === 'string' && knownTypes.has(type) && Number.isSafeInteger(seq);
}
