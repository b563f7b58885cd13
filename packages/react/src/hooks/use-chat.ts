import type { Conversation } from '@ziggie/llm-client/conversation';
import { useMemo } from 'react';
import { useSession } from '../provider/session.ts';

/** What can be done with a conversation. Every function stays the same for the life of the conversation. */
export type ChatActions = Pick<
  Conversation,
  | 'send'
  | 'stop'
  | 'retry'
  | 'regenerate'
  | 'edit'
  | 'continue'
  | 'remove'
  | 'setFeedback'
  | 'siblings'
  | 'switchTo'
  | 'setModel'
  | 'clear'
> & { readonly conversationId: string };

/**
 * The actions of the conversation. Never causes a render: read data with `useMessageIds`, `useMessage` and `useRun`.
 */
export function useChat(): ChatActions {
  const { conversation } = useSession();
  return useMemo(
    () => ({
      conversationId: conversation.id,
      send: (input, options) => conversation.send(input, options),
      stop: () => conversation.stop(),
      retry: () => conversation.retry(),
      regenerate: (messageId, options) => conversation.regenerate(messageId, options),
      edit: (messageId, input) => conversation.edit(messageId, input),
      continue: (messageId) => conversation.continue(messageId),
      remove: (messageId) => conversation.remove(messageId),
      setFeedback: (messageId, feedback) => conversation.setFeedback(messageId, feedback),
      siblings: (messageId) => conversation.siblings(messageId),
      switchTo: (messageId) => conversation.switchTo(messageId),
      setModel: (model) => conversation.setModel(model),
      clear: () => conversation.clear(),
    }),
    [conversation],
  );
}
