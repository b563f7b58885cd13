import { useCallback } from 'react';
import { useChatParts } from '../chat/chat-parts.ts';
import { useChat } from '../hooks/use-chat.ts';
import { useText } from '../text/text-context.ts';

/** Deletes a message with all that follows it, and offers to bring it back. */
export function useRemoveMessage(): (id: string) => void {
  const { remove } = useChat();
  const { undo } = useChatParts();
  const { strings } = useText();
  return useCallback(
    (id) => undo.set({ label: strings.messageDeleted, undo: remove(id) }),
    [remove, undo, strings],
  );
}
