import type { Connection, Conversation, ConversationStorage } from '@ziggie/llm-client/conversation';
import { createContext, useContext } from 'react';
import type { ComposerStores } from '../composer/composer-store.ts';
import type { ToolApprovals } from '../tools/tool-approvals.ts';
import type { ClientSource } from './client-source.ts';
import type { ModelList } from './model-list.ts';
import type { OpenConversations } from './open-conversations.ts';

/** What the components of one chat share. Holds no messages: those are watched one by one. */
export interface Session {
  readonly conversation: Conversation;
  /** `null` when only a conversation was given: there is then no list of models. */
  readonly client: ClientSource | null;
  readonly models: ModelList;
  /** Asks the host page to sign in again, then tries the failed turn again. */
  readonly signInAgain: () => Promise<void>;
  /** What stands in the composer, for each conversation. */
  readonly composers: ComposerStores;
  /** Calls of tools that wait for the reader. */
  readonly approvals: ToolApprovals;
  /** The other conversations; `null` when a conversation was given. */
  readonly open: OpenConversations | null;
  /** Where they are saved; `null` when that is not known here. */
  readonly storage: ConversationStorage | null;
  /** Whether requests carry tools, which not every model takes. */
  readonly usesTools: boolean;
  /** Whether there is a network. */
  readonly connection: Connection;
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
