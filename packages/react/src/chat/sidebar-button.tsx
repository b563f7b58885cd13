import type { ReactElement } from 'react';
import { SidebarIcon } from '../icons/icons.tsx';
import { useText } from '../text/text-context.ts';
import type { Sidebar } from './use-sidebar.ts';

/** Shows and hides the list of conversations. */
export function SidebarButton({ sidebar }: { sidebar: Sidebar }): ReactElement {
  const { strings } = useText();
  const label = sidebar.isOpen ? strings.hideConversations : strings.showConversations;
  return (
    <button
      ref={sidebar.button}
      type="button"
      className="zg-icon-button"
      aria-label={label}
      title={label}
      aria-expanded={sidebar.isOpen}
      onClick={sidebar.toggle}
    >
      <SidebarIcon />
    </button>
  );
}
