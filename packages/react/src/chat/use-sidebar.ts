import { type RefObject, useCallback, useEffect, useRef, useState } from 'react';

/** Below this width, in CSS px, the list lies over the chat as a drawer. The style sheet says the same. */
const DRAWER_PX = 720;

/** The list of conversations beside the chat, or over it where there is no room. */
export interface Sidebar {
  /** Whether it lies over the chat, which cannot be used meanwhile. */
  readonly isDrawer: boolean;
  readonly isOpen: boolean;
  readonly toggle: () => void;
  /** Opens it with the focus in its search. */
  readonly search: () => void;
  /** Closes the drawer; a list beside the chat stays. */
  readonly leave: () => void;
  readonly root: RefObject<HTMLElement | null>;
  readonly button: RefObject<HTMLButtonElement | null>;
}

/** Opened beside the chat at first, closed where it would lie over it. */
export function useSidebar(isThere: boolean): Sidebar {
  const [isNarrow, setIsNarrow] = useState(false);
  const [isBeside, setIsBeside] = useState(true);
  const [isOver, setIsOver] = useState(false);
  const root = useRef<HTMLElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const element = root.current;
    if (!isThere || element === null) return;
    const widths = new ResizeObserver(() => setIsNarrow(element.clientWidth <= DRAWER_PX));
    widths.observe(element);
    return () => widths.disconnect();
  }, [isThere]);
  const toggle = useCallback(
    () => (isNarrow ? setIsOver((is) => !is) : setIsBeside((is) => !is)),
    [isNarrow],
  );
  const search = useCallback(() => {
    (isNarrow ? setIsOver : setIsBeside)(true);
    // The list may have to be drawn first, its code to be fetched.
    const tryFor = (frames: number) => {
      const field = root.current?.querySelector<HTMLElement>('.zg-history [type=search]');
      field?.focus();
      if (!field && frames > 0) requestAnimationFrame(() => tryFor(frames - 1));
    };
    requestAnimationFrame(() => tryFor(60));
  }, [isNarrow]);
  const leave = useCallback(() => setIsOver(false), []);
  const isOpen = isNarrow ? isOver : isBeside;
  return { isDrawer: isNarrow && isOver, isOpen, toggle, search, leave, root, button };
}
