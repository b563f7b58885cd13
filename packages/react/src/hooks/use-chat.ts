import type { Conversation } from '@ziggie/llm-client/conversation';
import { useMemo } from 'react';
import { useSession } from '../provider/session.ts';

/** What can be done with a conversation. Every function stays the same for the life of the conversation. */
export type ChatActions = Pick<
  Conversation,
  'send' | 'stop' | 'retry' | 'regenerate' | 'edit' | 'siblings' | 'switchTo' | 'setModel' | 'clear'
> & { readonly conversationId: string };

/**
 * The actions of the conversation. Never causes a render: read data with `useMessageIds`, `useMessage` and `useRun`.
 */
export function useChat(): ChatActions {
  const { conversation } = useSession();
  return useMemo(
    () => ({
      conversationId: conversation.id,
      send: (text) => conversation.send(text),
      stop: () => conversation.stop(),
      retry: () => conversation.retry(),
      regenerate: (messageId) => conversation.regenerate(messageId),
      edit: (messageId, text) => conversation.edit(messageId, text),
      siblings: (messageId) => conversation.siblings(messageId),
      switchTo: (messageId) => conversation.switchTo(messageId),
      setModel: (model) => conversation.setModel(model),
      clear: () => conversation.clear(),
    }),
    [conversation],
  );
}
