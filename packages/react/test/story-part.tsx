import { type ReactElement, type ReactNode, useState } from 'react';
import { ZiggieProvider } from '../src/index.ts';
import { createTestChat, type TestChatOptions } from './test-chat.ts';

export interface StoryPartProps {
  /** The stand-in and what was said before. */
  chat?: TestChatOptions | undefined;
  /** Room for what opens below. */
  tall?: boolean | undefined;
  children?: ReactNode | undefined;
}

/** One part of a chat in its frame, over the real client and the stand-in. */
export function StoryPart({ chat, tall = false, children }: StoryPartProps): ReactElement {
  const [{ client, conversation }] = useState(() => createTestChat(chat));
  return (
    <section
      className={`zg story-panel${tall ? ' story-tall' : ''}`}
      data-zg-scheme="light"
      aria-label="Chat"
    >
      <ZiggieProvider client={client} conversation={conversation}>
        {children}
      </ZiggieProvider>
    </section>
  );
}
