import type { ConversationSummary } from '@ziggie/llm-client/storage';
import { memo, type ReactElement, useState } from 'react';
import { MoreIcon } from '../icons/action-icons.tsx';
import { Menu } from '../parts/menu.tsx';
import { useMoreText } from '../text/use-more-text.ts';
import type { RowActions } from './list-panel.tsx';
import { RenameField } from './rename-field.tsx';
import { useExport } from './use-export.ts';

interface ConversationRowProps {
  summary: ConversationSummary;
  /** The place that was searched for. */
  excerpt?: string | undefined;
  isActive: boolean;
  actions: RowActions;
}

/** One conversation: its name opens it, its menu does the rest. */
export const ConversationRow = memo(ConversationRowView, (before, after) => {
  const { summary, excerpt, isActive } = before;
  return summary === after.summary && excerpt === after.excerpt && isActive === after.isActive;
});

function ConversationRowView({ summary, excerpt, isActive, actions }: ConversationRowProps): ReactElement {
  const { strings } = useMoreText();
  const [isRenaming, setIsRenaming] = useState(false);
  const { saveMarkdown, saveJson } = useExport();
  const { id, pinned, archived, unreadable } = summary;
  const title =
    unreadable === undefined ? (summary.title ?? strings.untitled) : strings.conversationUnreadableRow;
  const remove = { label: strings.remove, harms: true, act: () => actions.remove(summary) };
  const items =
    unreadable === undefined
      ? [
          { label: strings.rename, act: () => setIsRenaming(true) },
          { label: pinned ? strings.unpin : strings.pin, act: () => actions.pin(summary) },
          { label: archived ? strings.unarchive : strings.archive, act: () => actions.archive(summary) },
          {
            label: strings.exportMarkdown,
            act: () => void actions.attempt(saveMarkdown(id, title)),
          },
          { label: strings.exportJson, act: () => void actions.attempt(saveJson([id], title)) },
          remove,
        ]
      : [remove];
  if (isRenaming) {
    return (
      <li className="zg-conversation">
        <RenameField
          title={title}
          onSave={(to) => actions.rename(id, to)}
          onClose={() => setIsRenaming(false)}
        />
      </li>
    );
  }
  return (
    <li className="zg-conversation" data-active={isActive ? '' : undefined}>
      <button
        type="button"
        className="zg-conversation-open"
        data-zg-conversation={id}
        aria-current={isActive ? 'page' : undefined}
        disabled={unreadable !== undefined}
        title={title}
        onClick={() => actions.open(id)}
      >
        <span className="zg-conversation-title" dir="auto">
          {title}
        </span>
        {excerpt === undefined ? null : (
          <span className="zg-conversation-excerpt" dir="auto">
            {excerpt}
          </span>
        )}
      </button>
      <Menu label={strings.conversationMenu(title)} icon={<MoreIcon />} items={items} />
    </li>
  );
}
