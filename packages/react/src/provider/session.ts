import type { ZiggieClient } from '@ziggie/llm-client';
import type { Conversation } from '@ziggie/llm-client/conversation';
import { createContext, useContext } from 'react';
import type { ModelList } from './model-list.ts';

/** What the components of one chat share. Holds no messages: those are watched one by one. */
export interface Session {
  readonly conversation: Conversation;
  /** `null` when only a conversation was given: there is then no list of models. */
  readonly client: ZiggieClient | null;
  readonly models: ModelList;
  /** Asks the host page to sign in again, then tries the failed turn again. */
  readonly signInAgain: () => Promise<void>;
}

export const SessionContext = createContext<Session | null>(null);

/** The session of the nearest provider. @throws {Error} without one. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) {
    throw new Error(
      'This hook needs a <ZiggieProvider> or <ZiggieChat> above it. Is the component inside of one?',
    );
  }
  return session;
}
