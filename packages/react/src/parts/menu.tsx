import { type ReactElement, type ReactNode, useId, useRef, useState } from 'react';
import { lazyPart } from './lazy-part.tsx';
import type { MenuItem, MenuListProps } from './menu-list.tsx';

export type { MenuItem } from './menu-list.tsx';

const LazyMenuList = lazyPart<MenuListProps>(
  () => import('./menu-list.tsx').then(({ MenuList }) => MenuList),
  {
    early: true,
  },
);

interface MenuProps {
  /** Name of the button. */
  label: string;
  icon: ReactNode;
  items: readonly MenuItem[];
  className?: string | undefined;
}

/** Lowest room under the button, in px, for the menu to open downwards. */
const ROOM_PX = 260;

/** A button with a menu of actions. Arrow keys move, Escape closes and gives the focus back. */
export function Menu({ label, icon, items, className = 'zg-icon-button' }: MenuProps): ReactElement {
  const [side, setSide] = useState<'above' | 'below' | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  const menuId = useId();
  const show = () => {
    const frame = button.current?.closest('.zg-log, .zg-history-list, .zg')?.getBoundingClientRect();
    const own = button.current?.getBoundingClientRect();
    setSide(
      frame && own && frame.bottom - own.bottom < ROOM_PX && own.top - frame.top > frame.bottom - own.bottom
        ? 'above'
        : 'below',
    );
  };
  const close = () => {
    setSide(null);
    button.current?.focus({ preventScroll: true });
  };
  return (
    <div className="zg-menu-anchor">
      <button
        ref={button}
        type="button"
        className={className}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={side !== null}
        aria-controls={side === null ? undefined : menuId}
        onClick={() => (side === null ? show() : close())}
      >
        {icon}
      </button>
      {side === null ? null : (
        <LazyMenuList
          id={menuId}
          label={label}
          side={side}
          items={items}
          onClose={close}
          onLeave={(to) => {
            if (to !== button.current) setSide(null);
          }}
        />
      )}
    </div>
  );
}
