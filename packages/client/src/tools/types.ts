import type { ChatMessage, ChatRequest } from '@ziggie/llm-protocol';
import type { StandardSchema } from '../schema/standard-schema.ts';
import type { CallOptions, ChatEvent, ChatResult } from '../types.ts';

/** One call of a tool by the model. */
export interface ToolInvocation<Args = unknown> {
  /** Unique in its run, also where the server gave none. */
  id: string;
  name: string;
  arguments: Args;
}

/** What a tool gets besides its arguments. */
export interface ToolContext {
  callId: string;
  /** Fires when the run is stopped or the tool's time is over: pass it on to whatever the tool waits for. */
  signal: AbortSignal;
}

/** A tool, ready to be given to a model. Made by `defineTool`. */
export interface Tool<Args = unknown, Result = unknown> {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments, as the model sees it. */
  readonly jsonSchema: Record<string, unknown>;
  /** Checks the arguments; absent when only a JSON Schema was given, then they come unchecked. */
  readonly schema?: StandardSchema<unknown, Args> | undefined;
  readonly timeoutMs?: number | undefined;
  readonly repeatable: boolean;
  needsApproval(args: Args): boolean;
  execute(args: Args, context: ToolContext): Result | Promise<Result>;
}

/** A request whose tools are run here. */
export type ToolRunRequest = Omit<ChatRequest, 'tools'> & { tools: readonly Tool[] };

/** What the host app says to a call that needs its approval. The reason is told to the model. */
export type Approval = boolean | { approved: boolean; reason?: string | undefined };

/** Options of {@link ToolRun}. `timeouts.totalMs` spans the whole run, the other timeouts each request. */
export interface ToolRunOptions extends CallOptions {
  /** How many rounds of calls the model gets before the run ends with `tool_loop`. Default 10. */
  maxRounds?: number | undefined;
  /** How many tools run at once. Default 4. */
  maxParallel?: number | undefined;
  /** How long a tool may take when it does not say so itself, in milliseconds. Default 60 s. */
  toolTimeoutMs?: number | undefined;
  /** Longest result that is sent to the model; the rest is cut off and said to be. Default 65,536 characters. */
  maxResultCharacters?: number | undefined;
  /** Asked before a tool runs that needs approval, one call at a time. No tool's clock runs meanwhile. */
  approve?:
    | ((call: ToolInvocation, context: { tool: Tool; signal: AbortSignal }) => Approval | Promise<Approval>)
    | undefined;
  /**
   * What the model is told when a tool throws. Default: the error's own message, at most 500 characters. Give your own
   * when messages of your tools may hold what the model must not see.
   */
  describeError?: ((error: unknown, call: ToolInvocation) => string) | undefined;
}

/** How a call ended: what the tool gave, or why it was not run or gave nothing. The model is told in every case. */
export type ToolOutcome =
  | 'ok'
  | 'failed'
  | 'timed_out'
  | 'denied'
  | 'invalid_arguments'
  | 'unknown_tool'
  | 'repeated';

/** The host app is asked whether a tool may run. */
export interface ToolApprovalEvent extends ToolInvocation {
  type: 'tool-approval';
}

/** A tool begins. */
export interface ToolStartEvent extends ToolInvocation {
  type: 'tool-start';
}

/** A call is over. */
export interface ToolResultEvent {
  type: 'tool-result';
  id: string;
  name: string;
  outcome: ToolOutcome;
  /** What the model is told. */
  content: string;
  /** What the tool gave, as it gave it. */
  result?: unknown;
  /** What the tool threw. */
  error?: unknown;
  durationMs: number;
}

/**
 * What a run yields: the events of all its rounds and those of the tools between them. `usage` is the sum so far, so the
 * last one counts for all; `done` comes once, at the very end.
 */
export type ToolRunEvent = ChatEvent | ToolApprovalEvent | ToolStartEvent | ToolResultEvent;

/** The end of a run. Text and thinking are those of the last answer, everything else is of the whole run. */
export interface ToolRunResult extends ChatResult {
  /** The request's messages and everything after them, the last answer included: what to send on next time. */
  messages: ChatMessage[];
  toolResults: ToolResultEvent[];
  /** How many answers the model gave. */
  rounds: number;
}

/** A run with tools while it goes on. Read it like a `ChatStream`. */
export interface ToolRun extends AsyncIterable<ToolRunEvent> {
  /** The text of the last answer. */
  text(): Promise<string>;
  final(): Promise<ToolRunResult>;
  /** Ends the run in any phase; the signal of every running tool fires. */
  abort(reason?: unknown): void;
}
