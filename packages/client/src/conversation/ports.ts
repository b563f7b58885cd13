import type { ChatMessage, ToolCall, ToolDefinition, Usage } from '@ziggie/llm-protocol';
import type { MessageNode, Source, ToolState } from './message.ts';

/** What a tool gave back, for the model to read. */
export interface ToolOutcome {
  /** Of the call that it answers. */
  callId: string;
  /** What the model reads: the result, or what went wrong and what to do about it. */
  content: string;
  /** Default `done`. */
  state?: 'done' | 'failed' | 'denied' | undefined;
  /** Default: the time of the whole round. */
  durationMs?: number | undefined;
  /** Shown beside the answer. */
  sources?: readonly Source[] | undefined;
}

/** What the tools of a round may know and tell. */
export interface ToolRound {
  /** Counted from 0. */
  readonly round: number;
  /** The same object for all rounds of a turn: a key for what must be remembered over them, such as repeated calls. */
  readonly turn: object;
  /** What the model had read when it made the calls. */
  readonly messages: readonly ChatMessage[];
  /** Aborted when the reader stops the run. */
  readonly signal: AbortSignal;
  /** Shows how a call is doing before its outcome is there. Unknown ids do nothing. */
  note(callId: string, state: Extract<ToolState, 'waiting' | 'running'>): void;
}

/**
 * What runs the tools that a model calls. The conversation sends the definitions, hands over the calls of each round once
 * its stream has ended whole, and sends the outcomes back. How the tools run is decided here: side by side, with limits,
 * after a person's approval.
 */
export interface TurnTools {
  readonly definitions: readonly ToolDefinition[];
  /** One outcome per call; a call without one counts as failed. A rejection ends the turn as failed. */
  run(calls: readonly ToolCall[], round: ToolRound): Promise<readonly ToolOutcome[]>;
  /** Most requests of one turn. One more ends it as failed, with the code `tool_loop`. Default 8. */
  readonly maxRounds?: number | undefined;
}

/** Whether there is a network. */
export interface Connection {
  isOnline(): boolean;
  /** Calls back when that may have changed; returns how to stop it. */
  subscribe(listener: () => void): () => void;
}

/** From which message on a branch is sent, decided once and kept: what comes before stays the same for the server's cache. */
export interface ContextCut {
  /** First message that is sent. */
  readonly firstId: string;
  /** What came before it in short, where somebody summarises. */
  readonly summary?: string | undefined;
}

/** How a request fits the model's window. Tokens are estimates, corrected by the counts of earlier answers. */
export interface ContextReport {
  readonly windowTokens: number;
  /** Of what is sent, the room for the answer not counted. */
  readonly estimatedTokens: number;
  /** What the server counted, once the answer is there. */
  readonly countedTokens?: number | undefined;
  /** Messages of the branch that are not sent. */
  readonly droppedMessages: number;
  /** Whether this request cut more than the one before. */
  readonly trimmed: boolean;
  readonly summarized: boolean;
  /**
   * The window leaves no room for the answer although everything was cut that may be, or the last answer reached its
   * end: the model may have lost the beginning. Time for a new conversation, a larger window or a shorter message.
   */
  readonly contextFull: boolean;
}

/** One branch on its way to a model. */
export interface ContextRequest {
  readonly model: string;
  /** The system prompt; always sent. */
  readonly system: string | undefined;
  /** The branch, first message first; each with what would be sent for it. The last one is always sent. */
  readonly branch: readonly { readonly node: MessageNode; readonly messages: readonly ChatMessage[] }[];
  readonly tools: readonly ToolDefinition[];
  /** What earlier requests of this conversation were cut to. */
  readonly cut: ContextCut | null;
  readonly signal: AbortSignal;
}

/** What to send. */
export interface FittedContext {
  readonly messages: readonly ChatMessage[];
  readonly cut: ContextCut | null;
  readonly report: ContextReport | null;
}

/** Decides what of a branch is sent, and learns from what the server counted. */
export interface ContextPort {
  fit(request: ContextRequest): FittedContext | Promise<FittedContext>;
  /** The server's count for what was sent; returns the report with it. */
  learn(sent: FittedContext, model: string, usage: Usage): ContextReport | null;
}
