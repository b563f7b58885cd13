import type { MessageNode } from '@ziggie/llm-client/conversation';
import { memo, type ReactElement } from 'react';
import { useMessage } from '../hooks/use-messages.ts';
import { AssistantMessage } from './assistant-message.tsx';
import { UserMessage } from './user-message.tsx';

const roleOf = (message: MessageNode) => message.role;

/** One message of the transcript by its id. Renders when its own message changes, never because another does. */
export const MessageRow = memo(function MessageRow({ id }: { id: string }): ReactElement | null {
  const role = useMessage(id, roleOf);
  if (role === 'user') return <UserMessage id={id} />;
  return role === 'assistant' ? <AssistantMessage id={id} /> : null;
});
