import type { QueueAction } from './actions.ts';
import type { ConversationState, QueuePause, TurnEnd } from './types.ts';

/** The state after something happened to the queue; the same object when it changes nothing. */
export function reduceQueue(state: ConversationState, action: QueueAction): ConversationState {
  const { queue } = state;
  switch (action.type) {
    case 'turn-queued': {
      const { turn, first } = action;
      if (state.nodes.has(turn.id) || queue.some(({ id }) => id === turn.id)) return state;
      return { ...state, queue: first ? [turn, ...queue] : [...queue, turn] };
    }
    case 'turn-edited': {
      const { id, text, attachments } = action;
      if (!queue.some((turn) => turn.id === id)) return state;
      const edited = { text, ...(attachments && { attachments }) };
      return { ...state, queue: queue.map((turn) => (turn.id === id ? { ...turn, ...edited } : turn)) };
    }
    case 'turn-moved': {
      const turn = queue.find(({ id }) => id === action.id);
      if (turn === undefined) return state;
      const rest = queue.filter((other) => other !== turn);
      const moved = rest.toSpliced(Math.max(0, action.to), 0, turn);
      return moved.every((other, index) => other === queue[index]) ? state : { ...state, queue: moved };
    }
    case 'turn-unqueued': {
      const rest = queue.filter(({ id }) => id !== action.id);
      if (rest.length === queue.length) return state;
      // An empty queue has nothing to hold back; only who paused it by hand ends that by hand.
      const queuePause = rest.length > 0 || state.queuePause === 'held' ? state.queuePause : null;
      return { ...state, queue: rest, queuePause };
    }
    case 'queue-paused':
      return state.queuePause === action.reason ? state : { ...state, queuePause: action.reason };
    case 'queue-resumed':
      return state.queuePause === null ? state : { ...state, queuePause: null };
  }
}

/** Whether the queue stands still after an answer ended like this. A pause by hand stays what it is. */
export function pauseAfter(state: ConversationState, end: TurnEnd, isOnline: boolean): QueuePause | null {
  if (state.queue.length === 0 || state.queuePause !== null || end.kind === 'complete')
    return state.queuePause;
  if (end.kind === 'stopped') return 'stopped';
  return isOnline ? 'failed' : 'offline';
}
