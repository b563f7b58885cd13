import { type ReactElement, type ReactNode, useEffect, useRef } from 'react';
import { ConversationList } from '../history/conversation-list.tsx';
import { useText } from '../text/text-context.ts';
import type { Sidebar } from './use-sidebar.ts';

interface SidebarFrameProps {
  sidebar: Sidebar;
  footer: ReactNode;
  children: ReactNode;
}

/** The list of conversations and the chat, side by side or one over the other. */
export function SidebarFrame({ sidebar, footer, children }: SidebarFrameProps): ReactElement {
  const { strings } = useText();
  const { isDrawer, isOpen, leave, button } = sidebar;
  const side = useRef<HTMLDivElement>(null);
  const main = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isDrawer || main.current === null) return;
    const beneath = main.current;
    beneath.inert = true;
    side.current?.focus({ preventScroll: true });
    return () => {
      beneath.inert = false;
      button.current?.focus({ preventScroll: true });
    };
  }, [isDrawer, button]);
  const asDrawer = isDrawer
    ? { role: 'dialog', 'aria-modal': true, 'aria-label': strings.conversations, tabIndex: -1 }
    : {};
  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: Escape closes it while it is a dialog */}
      <div
        ref={side}
        className="zg-side"
        hidden={!isOpen}
        data-drawer={isDrawer ? '' : undefined}
        onKeyDown={(event) => {
          if (event.key !== 'Escape' || !isDrawer || event.defaultPrevented) return;
          event.stopPropagation();
          leave();
        }}
        {...asDrawer}
      >
        {isOpen ? <ConversationList onNavigate={leave} footer={footer} /> : null}
      </div>
      {isDrawer ? <div className="zg-scrim" onPointerDown={leave} /> : null}
      <div ref={main} className="zg-main">
        {children}
      </div>
    </>
  );
}
