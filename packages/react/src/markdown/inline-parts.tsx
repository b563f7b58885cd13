import type { ReactElement, ReactNode } from 'react';
import { useText } from '../text/text-context.ts';

/** A link that was allowed opens beside the page; one that was not keeps its words only. */
export function Link({
  href,
  children,
}: {
  href: string | undefined;
  children?: ReactNode | undefined;
}): ReactElement {
  if (href === undefined || href === '') return <span className="zg-link-off">{children}</span>;
  if (href.startsWith('#')) return <a href={href}>{children}</a>;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
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
