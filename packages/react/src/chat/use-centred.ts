import { type RefObject, useLayoutEffect, useRef } from 'react';
import { useSession } from '../provider/session.ts';

/** How long the composer takes to its place when the conversation begins. */
const GLIDE_MS = 240;

/** What stands there looks centred a little above the middle: by this share of the width, less the space below the composer. */
const ABOVE_MIDDLE = 0.04;
const BELOW_PX = 8;

/**
 * Keeps question and composer of an empty conversation together in the middle.
 *
 * Both are laid out where they always stand, above and below, and moved from there: when the conversation begins nothing is
 * laid out anew, nothing counts as a shift of the page, whoever sent the message, and the composer glides to its place.
 */
export function useCentred(root: RefObject<HTMLElement | null>, isEmpty: boolean): void {
  const { conversation } = useSession();
  const last = useRef({ conversation, liftPx: 0 });
  useLayoutEffect(() => {
    const find = (name: string) => root.current?.querySelector<HTMLElement>(name);
    const log = find('.zg-log');
    const content = find('.zg-log > .zg-column');
    const bottom = find('.zg-bottom');
    if (!log || !content || !bottom) return;
    const { liftPx } = last.current;
    const hasBegun = last.current.conversation === conversation && liftPx > 0 && !isEmpty;
    last.current = { conversation, liftPx: 0 };
    if (hasBegun && !window.matchMedia('(prefers-reduced-motion: reduce)').matches)
      bottom.animate({ translate: [`0 ${-liftPx}px`, '0'] }, { duration: GLIDE_MS, easing: 'ease-out' });
    // Messages that were read come a task after they are known.
    if (!isEmpty || conversation.messageIds.get().length > 0) return;
    const place = () => {
      const free = Math.max(0, log.clientHeight - content.offsetHeight);
      const above = Math.max(0, log.clientWidth * ABOVE_MIDDLE - BELOW_PX);
      const lift = Math.min(free, free / 2 + above);
      last.current = { conversation, liftPx: lift };
      content.style.translate = `0 ${free - lift}px`;
      bottom.style.translate = `0 ${-lift}px`;
    };
    const resizes = new ResizeObserver(place);
    resizes.observe(log);
    resizes.observe(content);
    return () => {
      resizes.disconnect();
      putBack(content);
      putBack(bottom);
    };
  }, [root, isEmpty, conversation]);
}

/** No empty attribute is left. Chromium takes one that was written by a property away only when it has been looked at. */
function putBack(element: HTMLElement): void {
  if (element.getAttribute('style') !== null) element.removeAttribute('style');
}
