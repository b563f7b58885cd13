import type { ConversationQueue, QueuedTurn, QueuePause } from '@ziggie/llm-client/conversation';
import { useSession } from '../provider/session.ts';
import { useCell } from './use-cell.ts';

/** What waits to be sent, and what can be done with it. */
export interface QueueView extends Pick<ConversationQueue, 'edit' | 'move' | 'remove' | 'pause' | 'resume'> {
  /** First to go first. */
  readonly items: readonly QueuedTurn[];
  /** Why nothing goes; `null` while it moves on by itself. */
  readonly paused: QueuePause | null;
}

/** The queue of the conversation. Renders when it changes. */
export function useQueue(): QueueView {
  const { queue } = useSession().conversation;
  const { edit, move, remove, pause, resume } = queue;
  return { items: useCell(queue.items), paused: useCell(queue.paused), edit, move, remove, pause, resume };
}
