import { useCallback, useMemo } from 'react';
import { useSession } from '../provider/session.ts';
import { useSelected } from './use-cell.ts';

/** Where a message stands among its siblings: other answers to the same question, or other wordings of it. */
export interface BranchView {
  /** Counted from 0. */
  readonly index: number;
  readonly count: number;
  /** Shows the sibling before (-1) or after (1). Does nothing at an end. */
  readonly go: (step: -1 | 1) => void;
}

/** The siblings of a message. Renders when there are others. */
export function useBranches(messageId: string): BranchView {
  const { conversation } = useSession();
  const key = useSelected(
    conversation.messageIds,
    useCallback(() => JSON.stringify(conversation.siblings(messageId)), [conversation, messageId]),
  );
  return useMemo(() => {
    const beside = JSON.parse(key) as string[];
    const index = beside.indexOf(messageId);
    return {
      index,
      count: beside.length,
      go(step) {
        const target = beside[index + step];
        if (target !== undefined) conversation.switchTo(target);
      },
    };
  }, [key, messageId, conversation]);
}
