import { createContext, type ReactElement, type ReactNode, useContext } from 'react';
import { useText } from '../text/text-context.ts';

/** HTML knows no link within a link, and a reader would not know which one is followed. */
const InLinkContext = createContext(false);

/**
 * A link that was allowed opens beside the page; one that was not, or that stands in the words of another, keeps its words
 * only.
 */
export function Link({
  href,
  children,
}: {
  href: string | undefined;
  children?: ReactNode | undefined;
}): ReactElement {
  const isInLink = useContext(InLinkContext);
  if (isInLink) return <>{children}</>;
  const words = <InLinkContext.Provider value>{children}</InLinkContext.Provider>;
  if (href === undefined || href === '') return <span className="zg-link-off">{words}</span>;
  if (href.startsWith('#')) return <a href={href}>{words}</a>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {words}
    </a>
  );
}

/** The box of a task list: a picture of a state, not a control. */
export function TaskMark({ done }: { done: boolean }): ReactElement {
  const { strings } = useText();
  return (
    <span
      className="zg-task"
      role="img"
      data-done={done ? '' : undefined}
      aria-label={done ? strings.taskDone : strings.taskOpen}
    />
  );
}
