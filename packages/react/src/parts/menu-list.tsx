import { type KeyboardEvent, type ReactElement, useEffect, useRef } from 'react';

/** An entry of a menu. */
export interface MenuItem {
  readonly label: string;
  readonly act: () => void;
  /** Shown in the colour of danger. */
  readonly harms?: boolean | undefined;
}

export interface MenuListProps {
  id: string;
  label: string;
  side: 'above' | 'below';
  items: readonly MenuItem[];
  onClose: () => void;
  onLeave: (to: EventTarget | null) => void;
}

/** The open list of a `Menu`. */
export function MenuList({ id, label, side, items, onClose, onLeave }: MenuListProps): ReactElement {
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
