import { useCallback } from 'react';
import { useSelected } from '../hooks/use-cell.ts';
import { useSession } from '../provider/session.ts';

/** Whether this is the last message shown. Renders only the two messages for which that changes. */
export function useIsLast(id: string): boolean {
  const { conversation } = useSession();
  return useSelected(
    conversation.messageIds,
    useCallback((ids: readonly string[]) => ids.at(-1) === id, [id]),
  );
}
