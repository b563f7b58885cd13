import { useMemo } from 'react';
import { useCell } from '../hooks/use-cell.ts';
import { useSession } from '../provider/session.ts';
import { type HistorySource, type HistoryState, historyOf, type ImportReport } from './history-source.ts';

/** The saved conversations, and what can be done with each. The functions stay the same between renders. */
export interface ConversationsView extends HistoryState {
  /** The one that is shown. It is in the list only once something was said in it. */
  readonly activeId: string;
  /** Shows a conversation. */
  open(id: string): void;
  /** Shows an empty conversation and returns its id; one that is shown and empty stays. */
  create(): string;
  /** Rejects with a `TypeError` for an empty title. This and the others reject when the storage does. */
  rename(id: string, title: string): Promise<void>;
  pin(id: string, pinned: boolean): Promise<void>;
  archive(id: string, archived: boolean): Promise<void>;
  /** Deletes it and stops its answer. Resolves with how to bring it back as long as the page lives. */
  remove(id: string): Promise<() => Promise<void>>;
  /** Looks for all of the words in titles and messages; `hits` fills up meanwhile. An empty query ends the search. */
  search(query: string): Promise<void>;
  /** Reads an export of ours, of ChatGPT (`conversations.json`) or of Open WebUI. Rejects with a `TypeError` when it is no
   * JSON. What is there already is merged. */
  importText(text: string): Promise<ImportReport>;
  /** These conversations, or all of them, with every branch, as `importText` reads them back. */
  exportJson(ids?: readonly string[]): Promise<string>;
  /** The shown branch of one, for people to read. */
  exportMarkdown(id: string): Promise<string>;
}

/**
 * The list of saved conversations of the provider's storage. Renders when the list changes, in this tab or in another one,
 * and never with tokens.
 *
 * @throws {Error} in a provider that was given a `conversation`: it does not know of others.
 */
export function useConversations(): ConversationsView {
  const session = useSession();
  const { open, conversation } = session;
  const history = historyOf(session);
  if (history === null || open === null) {
    throw new Error(
      'useConversations() needs a provider that opens conversations itself: give it a client or an endpoint and a storage, not a conversation.',
    );
  }
  const state = useCell(history);
  const actions = useMemo(() => actionsOf(history), [history]);
  return useMemo(
    () => ({
      ...state,
      ...actions,
      activeId: conversation.id,
      open: open.show,
      create: () => (conversation.messageIds.get().length === 0 ? conversation.id : open.create()),
    }),
    [state, actions, open, conversation],
  );
}

function actionsOf(history: HistorySource) {
  const { rename, pin, archive, remove, search, importText, exportJson, exportMarkdown } = history;
  return { rename, pin, archive, remove, search, importText, exportJson, exportMarkdown };
}
