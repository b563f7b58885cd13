import type { Timings, ToolCall, Usage } from '@ziggie/llm-protocol';
import type {
  Attachment,
  ContextCut,
  ConversationRecord,
  Feedback,
  MessageNode,
  QueuedTurn,
  QueuePause,
  Source,
  ToolOutcome,
  ToolState,
  TurnEnd,
} from './types.ts';

/**
 * What can happen to a conversation, besides what a run brings. `id` is always the id of a message; times are wall time in
 * ms. An action that does not fit the state (a late event of an old run, an unknown id) changes nothing.
 */
export type ConversationAction =
  | { type: 'conversation-loaded'; record: ConversationRecord }
  | { type: 'conversation-cleared' }
  | { type: 'model-set'; model: string; at: number }
  | { type: 'title-set'; title: string; at: number }
  /** A message of the user; it becomes the head. */
  | {
      type: 'message-added';
      id: string;
      parentId: string | null;
      text: string;
      attachments?: readonly Attachment[] | undefined;
      at: number;
    }
  /** Takes a message and all below it out of the tree. */
  | { type: 'message-removed'; id: string; at: number }
  | { type: 'messages-restored'; nodes: readonly MessageNode[]; head: string | null; at: number }
  | { type: 'feedback-given'; id: string; feedback: Feedback | null; at: number }
  | { type: 'sources-added'; id: string; sources: readonly Source[]; at: number }
  | QueueAction
  | { type: 'head-moved'; id: string }
  /** A run begins: an empty answer below `parentId`; it becomes the head. */
  | { type: 'answer-started'; id: string; parentId: string; model: string; at: number }
  /** A run begins that adds to an answer which has ended. */
  | { type: 'answer-continued'; id: string; at: number }
  /** An answer that holds nothing leaves the tree. */
  | { type: 'answer-dropped'; id: string; at: number }
  | { type: 'stop-asked'; id: string }
  | { type: 'answer-ended'; id: string; end: TurnEnd; timings?: Timings | undefined; at: number };

/** What happens to the turns that wait. */
export type QueueAction =
  | { type: 'turn-queued'; turn: QueuedTurn; first?: boolean | undefined }
  | { type: 'turn-edited'; id: string; text: string; attachments?: readonly Attachment[] | undefined }
  | { type: 'turn-moved'; id: string; to: number }
  | { type: 'turn-unqueued'; id: string }
  | { type: 'queue-paused'; reason: QueuePause }
  | { type: 'queue-resumed' };

/** What a run brings. Each names its answer, so that a late one cannot touch another run. */
export type RunAction =
  | { type: 'context-cut'; id: string; cut: ContextCut | null }
  | { type: 'run-accepted'; id: string; at: number }
  /** The connection or an attempt failed, and another try follows. */
  | { type: 'run-retrying'; id: string; attempt: number; nextTryAt: number; at: number }
  /** Another try goes out. */
  | { type: 'run-retried'; id: string }
  | { type: 'run-queued'; id: string; position: number; of: number; etaMs: number | null }
  | { type: 'run-loading'; id: string; model: string; startedAt: number; typicalMs: number | null }
  | AnswerWritten
  | { type: 'tool-called'; id: string; call: ToolCall; at: number }
  | { type: 'tool-noted'; id: string; callId: string; state: ToolState }
  | { type: 'tool-answered'; id: string; outcome: ToolOutcome; durationMs: number; at: number }
  /** The tools have answered: the model is asked again, and adds to what there is. `timings` are those of the turn so far. */
  | { type: 'round-started'; id: string; timings: Timings }
  /** The attempt failed and another begins: what it wrote is void. */
  | { type: 'answer-voided'; id: string }
  | { type: 'usage-counted'; id: string; usage: Usage };

/** Pieces of an answer that arrived since the last such action, joined. */
export interface AnswerWritten {
  type: 'answer-written';
  id: string;
  thinking: string;
  text: string;
  /** Pieces of text among them: an engine sends one per token. */
  tokens: number;
  /** When the first piece of each kind arrived; `null` when there was none. */
  thinkingAt: number | null;
  textAt: number | null;
  /** When the last piece arrived. */
  at: number;
}
