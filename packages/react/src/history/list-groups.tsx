import type { ConversationSummary } from '@ziggie/llm-client/storage';
import { type ReactElement, useId, useState } from 'react';
import { ChevronDownIcon } from '../icons/icons.tsx';
import { useMoreText } from '../text/use-more-text.ts';
import { ConversationRow } from './conversation-row.tsx';
import { type DayGroup, groupByDay } from './group-by-day.ts';
import type { RowActions } from './list-panel.tsx';

/** Rows shown at first, and with each further wish. */
const PAGE_ROWS = 100;

interface ListGroupsProps {
  conversations: readonly ConversationSummary[];
  archived: readonly ConversationSummary[];
  activeId: string;
  actions: RowActions;
}

/** The conversations under the days of their last change; archived ones folded away at the end. */
export function ListGroups({ conversations, archived, activeId, actions }: ListGroupsProps): ReactElement {
  const { strings, format } = useMoreText();
  const [room, setRoom] = useState(PAGE_ROWS);
  const [isOpen, setIsOpen] = useState(false);
  const groups = groupByDay(conversations.slice(0, room), Date.now());
  const hidden = conversations.length - room;
  const title = (group: DayGroup): string => {
    const { pinned, today, yesterday, lastWeek, lastMonth } = strings;
    if (group.kind === 'month') return format.month(group.month);
    return { pinned, today, yesterday, week: lastWeek, days30: lastMonth }[group.kind];
  };
  const rows = (items: readonly ConversationSummary[]) =>
    items.map((summary) => (
      <ConversationRow
        key={summary.id}
        summary={summary}
        isActive={summary.id === activeId}
        actions={actions}
      />
    ));
  return (
    <>
      {groups.map((group) => (
        <Group key={`${group.kind}${group.kind === 'month' ? title(group) : ''}`} title={title(group)}>
          {rows(group.items)}
        </Group>
      ))}
      {hidden > 0 ? (
        <button type="button" className="zg-button-text" onClick={() => setRoom(room + PAGE_ROWS)}>
          {strings.conversationsMore(format.count(Math.min(hidden, PAGE_ROWS)))}
        </button>
      ) : null}
      {archived.length === 0 ? null : (
        <>
          <button
            type="button"
            className="zg-button-quiet zg-archived"
            aria-expanded={isOpen}
            onClick={() => setIsOpen(!isOpen)}
          >
            {strings.archivedCount(format.count(archived.length))}
            <ChevronDownIcon />
          </button>
          {isOpen ? <ul aria-label={strings.archived}>{rows(archived)}</ul> : null}
        </>
      )}
    </>
  );
}

function Group({ title, children }: { title: string; children: ReactElement[] }): ReactElement {
  const id = useId();
  return (
    <>
      <h2 className="zg-history-day" id={id}>
        {title}
      </h2>
      <ul aria-labelledby={id}>{children}</ul>
    </>
  );
}
