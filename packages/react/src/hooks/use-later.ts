import type { Cell } from '@ziggie/llm-client/conversation';
import { useEffect, useState } from 'react';
import { useSession } from '../provider/session.ts';

/**
 * The value of a cell for what may follow a moment later: it renders in a task of its own and not within the key press that
 * changed it, so that neither is long. What decides something is read from the cell itself.
 *
 * Not a transition: each token of an answer would throw away what was rendered of it and begin anew.
 */
export function useLater<T>(cell: Cell<T>): T {
  const [seen, see] = useState(() => ({ cell, value: cell.get() }));
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      timer = undefined;
      const value = cell.get();
      see((before) => (before.cell === cell && Object.is(before.value, value) ? before : { cell, value }));
    };
    const onChange = () => {
      timer ??= setTimeout(look);
    };
    // It may have changed before it was watched.
    look();
    const leave = cell.subscribe(onChange);
    return () => {
      leave();
      clearTimeout(timer);
    };
  }, [cell]);
  return seen.cell === cell ? seen.value : cell.get();
}

/** Ids of the messages on the shown branch, as `useMessageIds` gives them, for the rows themselves. */
export function useRowIds(): readonly string[] {
  return useLater(useSession().conversation.messageIds);
}

/** Whether a run is in progress, for the looks of what a reader can do with the messages. */
export function useLooksBusy(): boolean {
  return useLater(useSession().conversation.runningId) !== null;
}
