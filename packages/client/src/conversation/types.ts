import type { ModelOptions, Think } from '@ziggie/llm-protocol';
import type { Clock, ZiggieClient } from '../types.ts';
import type { Attachment, Feedback, MessageNode, Source } from './message.ts';
import type { Connection, ContextCut, ContextPort, ContextReport, TurnTools } from './ports.ts';
import type { ConversationStorage } from './storage-port.ts';

export type {
  Attachment,
  Feedback,
  MessageNode,
  Source,
  ToolState,
  ToolUse,
  TurnEnd,
  TurnFailure,
} from './message.ts';
export type {
  Connection,
  ContextCut,
  ContextPort,
  ContextReport,
  ContextRequest,
  FittedContext,
  ToolOutcome,
  ToolRound,
  TurnTools,
} from './ports.ts';
export type {
  ConversationRecord,
  ConversationStorage,
  ConversationSummary,
  StorageChange,
} from './storage-port.ts';

/** What a run is doing. `startedAt` is wall time in ms, for elapsed times on screen. */
export type RunPhase =
  | { kind: 'queued'; position: number; of: number; etaMs: number | null }
  | { kind: 'connecting' }
  | { kind: 'loading'; model: string; startedAt: number; typicalMs: number | null }
  | { kind: 'reading'; startedAt: number }
  | { kind: 'thinking'; startedAt: number }
  | { kind: 'tool'; callId: string; name: string }
  | { kind: 'writing'; startedAt: number; tokens: number; tokensPerSecond: number | null }
  /** `attempt` is the one that follows, `nextTryAt` wall time in ms; `maxAttempts` is `null` where time sets the limit. */
  | { kind: 'reconnecting'; attempt: number; maxAttempts: number | null; nextTryAt: number }
  | { kind: 'stopping' };

/** A turn that waits for its place: the run before it, the network, or the reader. */
export interface QueuedTurn {
  /** Becomes the id of its message. */
  readonly id: string;
  readonly text: string;
  readonly attachments?: readonly Attachment[] | undefined;
  /** The model that was chosen when it was sent. */
  readonly model: string;
  /** Wall time in ms. */
  readonly queuedAt: number;
}

/**
 * Why nothing is taken from the queue: the answer before was `stopped` or `failed`, there is no network (`offline`, ends
 * by itself), somebody paused it (`held`), or the page was loaded anew (`reloaded`).
 */
export type QueuePause = 'stopped' | 'failed' | 'offline' | 'held' | 'reloaded';

/** A run of a conversation: which assistant message it writes and what it is doing. */
export interface RunState {
  readonly messageId: string;
  readonly phase: RunPhase;
  /** The message as it was before the current request, which adds to it; absent in the first round. */
  readonly before?: MessageNode | undefined;
}

/** The whole state: plain data. `head` is the last message of the branch that is shown. */
export interface ConversationState {
  readonly id: string;
  readonly title: string | null;
  readonly model: string | null;
  readonly pinned: boolean;
  readonly archived: boolean;
  readonly nodes: ReadonlyMap<string, MessageNode>;
  readonly head: string | null;
  readonly run: RunState | null;
  readonly queue: readonly QueuedTurn[];
  /** `null` while the queue moves on by itself. */
  readonly queuePause: QueuePause | null;
  /** Ids of deleted messages and when that was (wall time in ms), so that another tab does not bring them back. */
  readonly removed: ReadonlyMap<string, number>;
  /** Wall time in ms of the last change to title, model, pinned or archived. */
  readonly detailsAt: number;
  readonly cut: ContextCut | null;
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

/** What a person sends. */
export interface Draft {
  /** May be empty when there are attachments. */
  text: string;
  attachments?: readonly Attachment[] | undefined;
}

/** How to send while an answer is being written. */
export interface SendOptions {
  /**
   * `queue`: it waits its turn, in sight and editable. `interrupt`: the answer is stopped and this one goes next.
   * `reject`: the promise rejects. Default `queue`.
   */
  whenBusy?: 'queue' | 'interrupt' | 'reject' | undefined;
  /** Model of this turn only. Default: the chosen one. */
  model?: string | undefined;
}

/** What waits to be sent. */
export interface ConversationQueue {
  /** First to go first. */
  readonly items: Cell<readonly QueuedTurn[]>;
  /** Why it stands still; `null` while it moves on by itself. */
  readonly paused: Cell<QueuePause | null>;
  /** Replaces the words, the attachments too when a draft names them. Unknown ids do nothing. */
  edit(id: string, input: string | Draft): void;
  /** Moves a turn to another place, counted from 0. Unknown ids do nothing. */
  move(id: string, to: number): void;
  /** Takes a turn out; its `send` resolves. Unknown ids do nothing. */
  remove(id: string): void;
  /** Lets no turn go until `resume()`. */
  pause(): void;
  /** Goes on after any pause. */
  resume(): void;
}

/** Settings of a conversation. */
export interface ConversationOptions {
  /**
   * What the runs go through; it is not closed or changed. A function is asked whenever a turn begins, so that the client's
   * code can come later than the page; while it rejects, turns end with `connect_failed` and can be tried again.
   */
  client: ZiggieClient | (() => ZiggieClient | Promise<ZiggieClient>);
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
  /** Runs the tools that the model calls; see {@link TurnTools}. Without it calls are kept and the turn ends. */
  tools?: TurnTools | undefined;
  /** Cuts what does not fit the model's window, made by `createContextWindow()`. Default: everything is sent. */
  context?: ContextPort | undefined;
  /**
   * How `continue()` asks: `true` sends the answer so far as the last message for the model to go on with (Ollama does),
   * `false` asks for the rest in words. Default: `true` unless the client's target is `openai`.
   */
  prefill?: boolean | undefined;
  /** Tells whether there is a network. Default: the browser's `navigator.onLine` and its events; elsewhere always. */
  connection?: Connection | undefined;
  /** Default: memory, so nothing outlives the page. */
  storage?: ConversationStorage | undefined;
  /** Told whenever the storage fails to read, write or remove. The conversation goes on either way. */
  onStorageError?: ((error: unknown) => void) | undefined;
  /** When to publish changes: gets a callback, calls it once soon. Default: once per frame that is drawn,
   * in a task of its own 22 ms after it; 16 ms where there are none, 250 ms in a hidden page. */
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
  /** The first words of the first message, until somebody renames it. */
  readonly title: Cell<string | null>;
  /** What waits to be sent. */
  readonly queue: ConversationQueue;
  /** How the last request fitted the model's window; `null` before the first and without `context`. */
  readonly contextReport: Cell<ContextReport | null>;
  /**
   * `loading` until the saved record was read. `failed` when it could not be: then nothing is saved, so that nothing is
   * overwritten, until `clear()`. Also `failed` after a save that was refused, until one succeeds.
   */
  readonly storageState: Cell<'loading' | 'ready' | 'failed'>;

  /**
   * Appends the user's message and runs the model. Resolves when the turn is over; a failed turn is no rejection but the
   * `end` of its answer. Waits for the saved record first. So do `retry`, `regenerate`, `edit` and `continue`.
   *
   * While an answer is written, while there is no network and while others wait, it goes to the queue; sent with nothing
   * running it goes at once and a paused queue follows it. Rejects with a `TypeError` when text and attachments are empty
   * or no model is chosen, with an `Error` after `dispose()`; nothing has changed then.
   */
  send(input: string | Draft, options?: SendOptions): Promise<void>;
  /** Ends the run; what was written stays, with `end.kind` `stopped`. The queue is paused. Harmless when nothing runs. */
  stop(): void;
  /**
   * Answers the last question again after a failure or a stop, with the model that is chosen now. The new answer stands
   * beside the old one, which stays reachable; an old one that holds nothing, no thinking either, is dropped.
   *
   * Rejects when the last answer is complete, and like `regenerate`, `edit` and `continue` while a turn is in progress.
   */
  retry(): Promise<void>;
  /** Makes another answer beside the given one (default: the last) and shows it, with another model on wish. Empty ones are
   * dropped as by `retry`. */
  regenerate(messageId?: string, options?: { model?: string | undefined }): Promise<void>;
  /** Makes a sibling of a user message with new text, answers it and shows that branch. Attachments stay unless a draft
   * names others. */
  edit(messageId: string, input: string | Draft): Promise<void>;
  /**
   * Goes on with an answer that was stopped, broke off or reached its length: what comes is added to the same message.
   * Default: the last one. Rejects for an answer that ended by itself.
   */
  continue(messageId?: string): Promise<void>;
  /**
   * Takes a message and everything below it out of the tree, and out of the storage with the next save. A run in there is
   * stopped. Returns how to bring it back, as long as the conversation is open; unknown ids do nothing.
   */
  remove(messageId: string): () => void;
  /** A reader's judgement of an answer; `null` takes it back. Unknown ids do nothing. */
  setFeedback(messageId: string, feedback: Omit<Feedback, 'at'> | null): void;
  /** Adds sources to an answer; those with a known id are replaced. Unknown ids do nothing. */
  addSources(messageId: string, sources: readonly Source[]): void;
  /** Throws a `TypeError` for an empty title. */
  rename(title: string): void;
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
