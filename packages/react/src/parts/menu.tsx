import {
  type KeyboardEvent,
  type ReactElement,
  type ReactNode,
  useEffect,
  useId,
  useRef,
  useState,
} from 'react';

/** An entry of a menu. */
export interface MenuItem {
  readonly label: string;
  readonly act: () => void;
  /** Shown in the colour of danger. */
  readonly harms?: boolean | undefined;
}

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
        <MenuList
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

interface MenuListProps {
  id: string;
  label: string;
  side: 'above' | 'below';
  items: readonly MenuItem[];
  onClose: () => void;
  onLeave: (to: EventTarget | null) => void;
}

function MenuList({ id, label, side, items, onClose, onLeave }: MenuListProps): ReactElement {
  const list = useRef<HTMLDivElement>(null);
  const focusAt = (index: number) => {
    const entries = list.current?.querySelectorAll<HTMLElement>('[role=menuitem]');
    const count = entries?.length ?? 0;
    entries?.[(index + count) % count]?.focus();
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it opens
  useEffect(() => focusAt(0), []);
  const onKeyDown = (event: KeyboardEvent) => {
    const entries = [...(list.current?.querySelectorAll('[role=menuitem]') ?? [])];
    const at = entries.indexOf(document.activeElement as Element);
    const moves: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: entries.length - 1,
    };
    const to = moves[event.key];
    if (event.key === 'Escape' || event.key === 'Tab') onClose();
    else if (to !== undefined) focusAt(to);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      ref={list}
      id={id}
      role="menu"
      tabIndex={-1}
      aria-label={label}
      className="zg-menu"
      data-side={side}
      onKeyDown={onKeyDown}
      onBlur={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget)) onLeave(relatedTarget);
      }}
    >
      {items.map(({ label: name, act, harms }) => (
        <button
          key={name}
          type="button"
          role="menuitem"
          tabIndex={-1}
          className="zg-menu-item"
          data-harms={harms ? '' : undefined}
          onClick={() => {
            onClose();
            act();
          }}
        >
          {name}
        </button>
      ))}
    </div>
  );
}
