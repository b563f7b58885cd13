import { type ReactElement, type ReactNode, useEffect, useRef } from 'react';
import { useCell } from '../hooks/use-cell.ts';
import { useRowIds } from '../hooks/use-later.ts';
import { DownIcon } from '../icons/icons.tsx';
import { focusTapped } from '../messages/focus-tapped.ts';
import { MessageRow } from '../messages/message-row.tsx';
import { useSession } from '../provider/session.ts';
import type { FollowEnd } from '../scroll/follow-end.ts';
import { useRowWindow } from '../scroll/use-row-window.ts';
import { useText } from '../text/text-context.ts';

interface TranscriptProps {
  follow: FollowEnd;
  /** What stands in place of messages while there are none. */
  empty: ReactNode;
}

/** The messages in a scroller that follows its end. Renders only when a message comes or goes. */
export function Transcript({ follow, empty }: TranscriptProps): ReactElement {
  const { strings } = useText();
  const ids = useRowIds();
  const scroller = useRef<HTMLElement>(null);
  const content = useRef<HTMLDivElement>(null);
  // Before the window of rows: it would put those at the top on the page when the end is only about to be scrolled to.
  useEffect(() => {
    if (scroller.current === null || content.current === null) return;
    return follow.attach(scroller.current, content.current);
  }, [follow]);
  const rows = useRowWindow(useSession().conversation, ids, scroller);

  return (
    <div className="zg-log-frame">
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: keys bring the focus to a message themselves */}
      <section
        ref={scroller}
        className="zg-log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keyboards must reach what scrolls
        tabIndex={0}
        aria-label={strings.conversation}
        onClick={focusTapped}
      >
        <div ref={content} className="zg-column">
          {ids.length === 0 ? empty : null}
          {rows.isAboveCut ? <div ref={rows.above} aria-hidden="true" /> : null}
          {rows.ids.map((id) => (
            <MessageRow key={id} id={id} />
          ))}
          {rows.isBelowCut ? <div ref={rows.below} aria-hidden="true" /> : null}
        </div>
      </section>
      <JumpToLatest follow={follow} scroller={scroller} />
    </div>
  );
}

function JumpToLatest({
  follow,
  scroller,
}: {
  follow: FollowEnd;
  scroller: { readonly current: HTMLElement | null };
}): ReactElement | null {
  const { strings } = useText();
  const { hasMoreBelow } = useCell(follow);
  if (!hasMoreBelow) return null;
  const jump = () => {
    const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
    // The button goes away: the focus must have a place to be.
    scroller.current?.focus({ preventScroll: true });
    follow.toEnd(still ? 'instant' : 'smooth');
  };
  return (
    <button type="button" className="zg-jump" onClick={jump}>
      <DownIcon />
      {strings.jumpToLatest}
    </button>
  );
}
