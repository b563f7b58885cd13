import type { ReactElement } from 'react';
import { useEffect, useState } from 'react';
import { noDrafts } from '../src/composer/draft-storage.ts';
import { ZiggieChat, type ZiggieChatProps } from '../src/index.ts';
import { createTestChat, type TestChatOptions } from './test-chat.ts';

export interface StoryChatProps extends ZiggieChatProps {
  /** The stand-in, its scripts and what was said before. */
  chat?: TestChatOptions | undefined;
  /** Sent as soon as the conversation is open. */
  ask?: string | undefined;
  /** `rtl` turns the page around. */
  dir?: 'rtl' | undefined;
  /** As wide as a phone. */
  narrow?: boolean | undefined;
}

/** A chat over the real client and the stand-in, for stories. */
export function StoryChat({ chat, ask, dir, narrow = false, ...props }: StoryChatProps): ReactElement {
  const [{ client, conversation }] = useState(() => createTestChat(chat));
  useEffect(() => {
    if (ask !== undefined && conversation.messageIds.get().length === 0)
      void conversation.send(ask).catch(() => {});
  }, [ask, conversation]);
  return (
    <div className={narrow ? 'story-frame story-narrow' : 'story-frame'} dir={dir}>
      <ZiggieChat client={client} conversation={conversation} drafts={noDrafts} {...props} />
    </div>
  );
}
