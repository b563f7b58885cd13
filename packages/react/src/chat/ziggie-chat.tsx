import { createLocalStorage } from '@ziggie/llm-client/storage';
import { type ReactElement, useContext, useMemo } from 'react';
import { createBrowserDrafts } from '../composer/draft-storage.ts';
import { SessionContext } from '../provider/session.ts';
import { ZiggieProvider } from '../provider/ziggie-provider.tsx';
import { ChatFrame } from './chat-frame.tsx';
import type { ZiggieChatProps } from './ziggie-chat-props.ts';

/**
 * The whole chat: model picker, transcript and composer, in the height of its container.
 *
 * Inside a `ZiggieProvider` it shows that conversation. With `endpoint`, `client` or `conversation` of its own it stands
 * alone and keeps its conversation in `localStorage` under `userId`. Needs `@ziggie/llm-react/styles.css`.
 *
 * @throws {Error} without a provider and without a connection of its own.
 */
export function ZiggieChat(props: ZiggieChatProps): ReactElement {
  const session = useContext(SessionContext);
  const { client, endpoint, conversation, userId = 'anonymous' } = props;
  const alone = client !== undefined || endpoint !== undefined || conversation !== undefined;
  const ownStorage = useMemo(() => createLocalStorage({ namespace: userId }), [userId]);
  const ownDrafts = useMemo(() => createBrowserDrafts(userId), [userId]);
  if (!alone && session !== null) return <ChatFrame {...props} />;
  const { storage = ownStorage, drafts = props.storage === undefined ? ownDrafts : undefined } = props;
  return (
    <ZiggieProvider {...props} storage={storage} drafts={drafts}>
      <ChatFrame {...props} />
    </ZiggieProvider>
  );
}
