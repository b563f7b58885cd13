import type { SearchHit } from '@ziggie/llm-client/storage';
import type { ReactElement } from 'react';
import { useMoreText } from '../text/use-more-text.ts';
import { ConversationRow } from './conversation-row.tsx';
import type { RowActions } from './list-panel.tsx';

interface SearchHitsProps {
  hits: readonly SearchHit[];
  activeId: string;
  actions: RowActions;
}

/** What was found, each with the place that matches. */
export function SearchHits({ hits, activeId, actions }: SearchHitsProps): ReactElement {
  const { strings, format } = useMoreText();
  const count =
    hits.length === 0 ? strings.searchNothing : strings.searchFound(hits.length, format.count(hits.length));
  return (
    <>
      <p className="zg-history-note" role="status">
        {count}
      </p>
      <ul>
        {hits.map(({ conversation, messageId, excerpt }) => (
          <ConversationRow
            key={conversation.id}
            summary={conversation}
            excerpt={messageId === null ? undefined : excerpt}
            isActive={conversation.id === activeId}
            actions={actions}
          />
        ))}
      </ul>
    </>
  );
}
