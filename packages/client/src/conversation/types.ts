import type { FinishReason, ModelOptions, Role, Think, Timings, ToolCall, Usage } from '@ziggie/llm-protocol';
import type { Clock, ZiggieClient } from '../types.ts';

/** What a run is doing. `startedAt` is wall time in ms, for elapsed times on screen. */
export type RunPhase =
  | { kind: 'queued'; position: number; of: number; etaMs: number | null }
  | { kind: 'connecting' }
  | { kind: 'loading'; model: string; startedAt: number; typicalMs: number | null }
  | { kind: 'reading'; startedAt: number }
  | { kind: 'thinking'; startedAt: number }
  | { kind: 'tool'; callId: string; name: string }
  | { kind: 'writing'; startedAt: number; tokens: number; tokensPerSecond: number | null }
  | { kind: 'reconnecting'; attempt: number; maxAttempts: number; nextTryAt: number }
  | { kind: 'stopping' };

/** A failure as it is stored and shown: plain data, safe to save. */
export interface TurnFailure {
  code: string;
  message: string;
  status?: number | undefined;
  retryable: boolean;
  requestId?: string | undefined;
  /** Wall time in ms from which a retry makes sense. */
  retryAt?: number | undefined;
}

/** How an assistant message ended. Absent while it is being written. */
export type TurnEnd =
  | { kind: 'complete'; finishReason: FinishReason }
  | { kind: 'stopped' }
  | { kind: 'failed'; failure: TurnFailure };

/** One message in the tree. Immutable: each change makes a new object, so identity tells what changed. */
export interface MessageNode {
  readonly id: string;
  readonly parentId: string | null;
  readonly role: Role;
  readonly text: string;
  readonly thinking: string;
  /** How long the thinking took, once it is over. */
  readonly thinkingMs?: number | undefined;
  readonly toolCalls: readonly ToolCall[];
  /** Wall time in ms. */
  readonly createdAt: number;
  readonly model?: string | undefined;
  readonly end?: TurnEnd | undefined;
  readonly usage?: Usage | undefined;
  readonly timings?: Timings | undefined;
}

/** The whole state: plain data. `head` is the last message of the branch that is shown. */
export interface ConversationState {
  readonly id: string;
  readonly title: string | null;
  readonly model: string | null;
  readonly nodes: ReadonlyMap<string, MessageNode>;
  readonly head: string | null;
  /** The run in progress, if any: which assistant message it writes and what it is doing. */
  readonly run: { readonly messageId: string; readonly phase: RunPhase } | null;
}

/** A value that can be watched. `get` is stable between notifications, as `useSyncExternalStore` needs. */
export interface Cell<T> {
  get(): T;
  /**
   * Returns how to stop watching. The listener is called when the value changed: at most once per scheduled frame for what
   * a stream brings, at once for what a caller does and for the end of a turn.
   */
  subscribe(listener: () => void): () => void;
}

/** Saved form of a conversation. `version` tells the shape; readers refuse versions they do not know. */
export interface ConversationRecord {
  version: 1;
  id: string;
  title: string | null;
  model: string | null;
  head: string | null;
  nodes: MessageNode[];
  /** Wall time in ms. */
  updatedAt: number;
}

/** Where conversations are kept. Implementations: memory and localStorage here, more to come, one contract. */
export interface ConversationStorage {
  /** `null` when there is none. A record that cannot be read (corrupt, newer version) is left in place and rejects. */
  load(id: string): Promise<ConversationRecord | null>;
  /** Replaces the record of this id. When it rejects, the record before it is still there. */
  save(record: ConversationRecord): Promise<void>;
  /** Resolves also when there was none. */
  remove(id: string): Promise<void>;
  /** The ids of all records, those that cannot be read included. */
  list(): Promise<string[]>;
}

/** Settings of a conversation. */
export interface ConversationOptions {
  /** What the runs go through. It is not closed or changed. */
  client: ZiggieClient;
  /** Name under which it is saved. Default `default`. */
  id?: string | undefined;
  /** Model to begin with; a saved conversation brings its own. Without one, call `setModel` before the first turn. */
  model?: string | undefined;
  /** System prompt, put in front of every request. Not saved. */
  system?: string | undefined;
  /** How much the model thinks. Default: the model decides. */
  think?: Think | undefined;
  /** Sampling and size options of every request. Default: the model's. */
  options?: ModelOptions | undefined;
  /** Default: memory, so nothing outlives the page. */
  storage?: ConversationStorage | undefined;
  /** Told whenever the storage fails to read, write or remove. The conversation goes on either way. */
  onStorageError?: ((error: unknown) => void) | undefined;
  /** When to publish changes: gets a callback, calls it once soon. Default: the next animation frame; 16 ms
   * where there are none, 250 ms in a hidden page. */
  schedule?: ((publish: () => void) => void) | undefined;
  /** Time for the interval of saves and for speeds. Default: the platform's. */
  clock?: Clock | undefined;
  /** Wall time in ms. Default `Date.now`. */
  wallNow?: (() => number) | undefined;
  /** Makes message ids. Default `crypto.randomUUID`, or random hex where a page is not a secure context. */
  createId?: (() => string) | undefined;
}

/**
 * One conversation: a tree of messages, at most one run, and cells to watch them. Works without React.
 *
 * Actions are stable functions. Tokens are published at most once per scheduled frame; a cell is notified only when its
 * own value changed.
 */
export interface Conversation {
  readonly id: string;
  /** Ids of the shown branch, first message first. Changes only when the branch does, not with tokens. */
  readonly messageIds: Cell<readonly string[]>;
  /** One message; `undefined` when there is none with this id. The same cell object for the same id. */
  message(id: string): Cell<MessageNode | undefined>;
  /** What the run is doing, `null` when nothing runs. */
  readonly phase: Cell<RunPhase | null>;
  /** Id of the message being written, `null` when nothing runs. */
  readonly runningId: Cell<string | null>;
  readonly model: Cell<string | null>;
  /**
   * `loading` until the saved record was read. `failed` when it could not be: then nothing is saved, so that nothing is
   * overwritten, until `clear()`. Also `failed` after a save that was refused, until one succeeds.
   */
  readonly storageState: Cell<'loading' | 'ready' | 'failed'>;

  /**
   * Appends the user's message and runs the model. Resolves when the turn is over; a failed turn is no rejection but the
   * `end` of its answer. Waits for the saved record first. So do `retry`, `regenerate` and `edit`.
   *
   * Rejects with a `TypeError` for empty text or when no model is chosen, with an `Error` while a turn is in progress and
   * after `dispose()`; nothing has changed then.
   */
  send(text: string): Promise<void>;
  /** Ends the run; what was written stays, with `end.kind` `stopped`. Harmless when nothing runs. */
  stop(): void;
  /**
   * Answers the last question again after a failure or a stop, with the model that is chosen now. The new answer stands
   * beside the old one, which stays reachable; an old one that holds nothing, no thinking either, is dropped.
   *
   * Rejects when the last answer is complete.
   */
  retry(): Promise<void>;
  /** Makes another answer beside the given one (default: the last) and shows it. Empty ones are dropped as by `retry`. */
  regenerate(messageId?: string): Promise<void>;
  /** Makes a sibling of a user message with new text, answers it and shows that branch. */
  edit(messageId: string, text: string): Promise<void>;
  /** Siblings of a message (itself included), oldest first; empty for an unknown id. */
  siblings(messageId: string): readonly string[];
  /** Shows the branch through the given message, down to its newest end. A run goes on unseen. Unknown ids do nothing. */
  switchTo(messageId: string): void;
  /** Chooses the model of the turns that follow; a run in progress keeps its own. Throws a `TypeError` for an empty name. */
  setModel(model: string): void;
  /** Ends the run and forgets everything, in storage too. Rejects when the record could not be removed. */
  clear(): Promise<void>;
  /** The state as the cells show it. */
  getState(): ConversationState;
  /** Ends the run, saves what was written and lets go of all watchers. The conversation cannot be used again. */
  dispose(): void;
}
