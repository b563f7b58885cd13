import { type RefObject, useEffect } from 'react';

/**
 * Keeps the composer above a phone's keyboard where the keyboard lies over the page instead of making it smaller (iOS):
 * what it covers of the chat becomes padding, as long as something in the chat has the focus.
 */
export function useKeyboardInset(root: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = root.current;
    const view = window.visualViewport;
    if (element === null || !view) return;
    const fit = () => {
      const isUsed = element.contains(document.activeElement);
      const covered = element.getBoundingClientRect().bottom - (view.offsetTop + view.height);
      // A zoomed page has a small view too; nobody's keyboard is there.
      const inset = isUsed && view.scale <= 1.01 && covered > 1 ? Math.round(covered) : 0;
      const padding = inset === 0 ? '' : `${Math.min(inset, element.clientHeight / 2)}px`;
      if (element.style.paddingBlockEnd !== padding) element.style.paddingBlockEnd = padding;
    };
    const later = () => requestAnimationFrame(fit);
    view.addEventListener('resize', fit);
    view.addEventListener('scroll', fit);
    element.addEventListener('focusin', later);
    element.addEventListener('focusout', later);
    return () => {
      view.removeEventListener('resize', fit);
      view.removeEventListener('scroll', fit);
      element.removeEventListener('focusin', later);
      element.removeEventListener('focusout', later);
    };
  }, [root]);
}
