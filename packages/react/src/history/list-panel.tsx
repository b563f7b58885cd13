import type { ConversationSummary } from '@ziggie/llm-client/storage';
import { type KeyboardEvent, type ReactElement, type ReactNode, useEffect, useRef, useState } from 'react';
import { useAnnounce } from '../announce/announce-context.ts';
import { type UndoOffer, useChatParts } from '../chat/chat-parts.ts';
import { UndoBar } from '../chat/undo-bar.tsx';
import { useLatest } from '../hooks/use-latest.ts';
import { createCell } from '../hooks/value-cell.ts';
import { PlusIcon } from '../icons/action-icons.tsx';
import { useMoreText } from '../text/use-more-text.ts';
import { ListGroups } from './list-groups.tsx';
import { ListMenu } from './list-menu.tsx';
import { SearchField } from './search-field.tsx';
import { SearchHits } from './search-hits.tsx';
import { useConversations } from './use-conversations.ts';

/** Props of `ConversationList`. */
export interface ConversationListProps {
  /** Told when the reader went to a conversation or made a new one: a drawer closes then. */
  onNavigate?: ((conversationId: string) => void) | undefined;
  /** Shown under the list. */
  footer?: ReactNode | undefined;
}

/** The list with all that can be done to it. */
export function ListPanel({ onNavigate, footer }: ConversationListProps): ReactElement {
  const navigated = useLatest(onNavigate);
  const { strings } = useMoreText();
  const list = useConversations();
  const { focusComposer } = useChatParts();
  const announce = useAnnounce();
  const [undo] = useState(() => createCell<UndoOffer | null>(null));
  const [note, setNote] = useState('');
  const scroller = useRef<HTMLDivElement>(null);
  const again = useRef<string | null>(null);
  const { conversations, archived, hits, status, activeId } = list;

  // A row that was pinned or renamed is another element now.
  // biome-ignore lint/correctness/useExhaustiveDependencies: looked at whenever the list is another one
  useEffect(() => {
    if (again.current === null || scroller.current?.contains(document.activeElement)) return;
    const row = rowOf(scroller.current, again.current);
    if (row === null) return;
    again.current = null;
    row.focus({ preventScroll: true });
  }, [conversations, archived]);

  const say = (text: string) => {
    setNote(text);
    announce(text);
  };
  const attempt = (work: Promise<unknown>) =>
    work.then(
      () => setNote(''),
      () => say(strings.conversationFailed),
    );
  const actions: RowActions = {
    open(id) {
      list.open(id);
      navigated.current?.(id);
    },
    rename(id, title) {
      again.current = id;
      void attempt(list.rename(id, title));
    },
    pin({ id, pinned }) {
      again.current = id;
      void attempt(list.pin(id, !pinned));
    },
    archive({ id, archived: is }) {
      void attempt(
        list.archive(id, !is).then(() => {
          if (!is) undo.set({ label: strings.conversationArchived, undo: () => list.archive(id, false) });
          else scroller.current?.focus({ preventScroll: true });
        }),
      );
    },
    remove({ id }) {
      void attempt(
        list
          .remove(id)
          .then((bring) => undo.set({ label: strings.conversationRemoved, undo: () => attempt(bring()) })),
      );
    },
    attempt,
  };
  const create = () => {
    const id = list.create();
    navigated.current?.(id);
    // Once a drawer that lay over it is gone.
    requestAnimationFrame(focusComposer);
  };
  const isEmpty = conversations.length === 0 && archived.length === 0;

  return (
    <nav className="zg-history" aria-label={strings.conversations}>
      <div className="zg-history-head">
        <button type="button" className="zg-new-chat" onClick={create}>
          <PlusIcon />
          {strings.newChat}
        </button>
        <SearchField onSearch={list.search} />
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: arrow keys are a second way; Tab reaches every row */}
      <div
        ref={scroller}
        className="zg-history-list"
        tabIndex={-1}
        onKeyDown={(event) => moveBetweenRows(event, scroller.current)}
      >
        {hits === null ? (
          <ListGroups
            conversations={conversations}
            archived={archived}
            activeId={activeId}
            actions={actions}
          />
        ) : (
          <SearchHits
            hits={hits.filter((hit) => isKnown(hit.conversation, conversations, archived))}
            activeId={activeId}
            actions={actions}
          />
        )}
        {hits === null && isEmpty ? <p className="zg-history-note">{wordsFor(status, strings)}</p> : null}
      </div>
      {note === '' ? null : (
        <p className="zg-history-note" role="status">
          {note}
        </p>
      )}
      <UndoBar offer={undo} onClose={() => scroller.current?.focus({ preventScroll: true })} />
      <div className="zg-history-foot">
        <div className="zg-history-footer">{footer}</div>
        <ListMenu list={list} onSay={say} />
      </div>
    </nav>
  );
}

/** What a row can do. */
export interface RowActions {
  open(id: string): void;
  rename(id: string, title: string): void;
  pin(summary: ConversationSummary): void;
  archive(summary: ConversationSummary): void;
  remove(summary: ConversationSummary): void;
  /** Says so when it fails. */
  attempt(work: Promise<unknown>): Promise<void>;
}

function isKnown({ id }: ConversationSummary, ...lists: (readonly ConversationSummary[])[]): boolean {
  return lists.some((list) => list.some((summary) => summary.id === id));
}

function wordsFor(
  status: 'loading' | 'ready' | 'failed',
  strings: ReturnType<typeof useMoreText>['strings'],
): string {
  if (status === 'loading') return strings.conversationsLoading;
  return status === 'failed' ? strings.conversationsFailed : strings.conversationsNone;
}

function rowOf(scroller: HTMLElement | null, id: string): HTMLElement | null {
  const rows = scroller?.querySelectorAll<HTMLElement>('[data-zg-conversation]') ?? [];
  return [...rows].find((row) => row.dataset['zgConversation'] === id) ?? null;
}

function moveBetweenRows(event: KeyboardEvent, scroller: HTMLElement | null): void {
  const rows = [...(scroller?.querySelectorAll<HTMLElement>('[data-zg-conversation]') ?? [])];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
  const to = at < 0 ? undefined : moves[event.key];
  if (to === undefined || event.defaultPrevented) return;
  event.preventDefault();
  rows[Math.min(rows.length - 1, Math.max(0, to))]?.focus();
}
