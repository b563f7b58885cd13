import type { FinishReason, Role, Timings, ToolCall, Usage } from '@ziggie/llm-protocol';

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

/** Something that goes along with a message of the user. An image needs a model with the `vision` capability. */
export type Attachment =
  | {
      kind: 'image';
      /** Plain base64, without a `data:` prefix. */
      data: string;
      /** Such as `image/png`. */
      mediaType: string;
      name?: string | undefined;
    }
  | {
      kind: 'file';
      name: string;
      /** What the model gets to read, between fences under the name. */
      text: string;
      mediaType?: string | undefined;
    };

/** Where something that an answer says comes from. `url` is untrusted: check its scheme before it becomes a link. */
export interface Source {
  id: string;
  title?: string | undefined;
  url?: string | undefined;
  excerpt?: string | undefined;
}

/**
 * `called`: nobody has run it (yet). `waiting`: for a person's approval. `done`, `failed` and `denied` have a `result`,
 * which the model got to read.
 */
export type ToolState = 'called' | 'waiting' | 'running' | 'done' | 'failed' | 'denied';

/** A tool call of an answer and what became of it. */
export interface ToolUse extends ToolCall {
  /** Round of the turn, counted from 0: the model asks, the tools answer, the model goes on with the next round. */
  readonly round?: number | undefined;
  /** How much of the message's `text` and `thinking` stood before the call. Absent: all of it. */
  readonly textAt?: number | undefined;
  readonly thinkingAt?: number | undefined;
  /** Absent: `called`. */
  readonly state?: ToolState | undefined;
  /** What the model got to read, an error's words included. */
  readonly result?: string | undefined;
  readonly durationMs?: number | undefined;
}

/** A reader's judgement of an answer. */
export interface Feedback {
  rating: 'up' | 'down';
  note?: string | undefined;
  /** Wall time in ms. */
  at: number;
}

/** One message in the tree. Immutable: each change makes a new object, so identity tells what changed. */
export interface MessageNode {
  readonly id: string;
  readonly parentId: string | null;
  readonly role: Role;
  /** All text of all rounds; {@link ToolUse.textAt} tells where tools were called in it. */
  readonly text: string;
  readonly thinking: string;
  /** How long the thinking took, once it is over. */
  readonly thinkingMs?: number | undefined;
  readonly toolCalls: readonly ToolUse[];
  readonly attachments?: readonly Attachment[] | undefined;
  readonly sources?: readonly Source[] | undefined;
  readonly feedback?: Feedback | undefined;
  /** Wall time in ms. */
  readonly createdAt: number;
  /** Wall time in ms of the last change, for merging; absent: `createdAt`. */
  readonly changedAt?: number | undefined;
  readonly model?: string | undefined;
  readonly end?: TurnEnd | undefined;
  /** Of all rounds and continuations together. */
  readonly usage?: Usage | undefined;
  /** Of all rounds and continuations together; `ttftMs` is the first one's. */
  readonly timings?: Timings | undefined;
}
