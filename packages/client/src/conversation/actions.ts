import type { Timings, ToolCall, Usage } from '@ziggie/llm-protocol';
import type { ConversationRecord, TurnEnd } from './types.ts';

/**
 * Everything that can happen to a conversation. `id` is always the id of a message; times are wall time in ms.
 * An action that does not fit the state (a late event of an old run, an unknown id) changes nothing.
 */
export type ConversationAction =
  | { type: 'conversation-loaded'; record: ConversationRecord }
  | { type: 'conversation-cleared' }
  | { type: 'model-set'; model: string }
  /** A message of the user; it becomes the head. */
  | { type: 'message-added'; id: string; parentId: string | null; text: string; at: number }
  | { type: 'head-moved'; id: string }
  /** A run begins: an empty answer below `parentId`; it becomes the head. */
  | { type: 'answer-started'; id: string; parentId: string; model: string; at: number }
  /** An answer that holds nothing leaves the tree. */
  | { type: 'answer-dropped'; id: string }
  | RunAction;

/** What a run brings. Each names its answer, so that a late one cannot touch another run. */
export type RunAction =
  | { type: 'run-accepted'; id: string; at: number }
  | { type: 'run-queued'; id: string; position: number; of: number; etaMs: number | null }
  | { type: 'run-loading'; id: string; model: string; startedAt: number; typicalMs: number | null }
  | AnswerWritten
  | { type: 'tool-called'; id: string; call: ToolCall; at: number }
  /** The attempt failed and another begins: what it wrote is void. */
  | { type: 'answer-voided'; id: string }
  | { type: 'usage-counted'; id: string; usage: Usage }
  | { type: 'stop-asked'; id: string }
  | { type: 'answer-ended'; id: string; end: TurnEnd; timings?: Timings | undefined; at: number };

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
