import type { ReactElement, ReactNode } from 'react';
import { useText } from '../text/text-context.ts';
import { hostOf } from './safe-url.ts';

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

/** Stands for an image of the text. Loading it would tell its host that, when and what somebody reads. */
export function BlockedImage({ src, alt }: { src: string; alt: string }): ReactElement {
  const { strings } = useText();
  const host = hostOf(src);
  if (host === undefined) return <span className="zg-image-off">{alt === '' ? strings.imageHere : alt}</span>;
  return (
    <span className="zg-image-off">
      {alt === '' ? strings.imageFrom(host) : strings.imageNamed(alt, host)}
    </span>
  );
}

/** A table in a region of its own that scrolls sideways, by keyboard too. */
export function TableRegion({ children }: { children?: ReactNode | undefined }): ReactElement {
  const { strings } = useText();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for forms
    // biome-ignore lint/a11y/noNoninteractiveTabindex: keyboards must reach what scrolls
    <div className="zg-table" role="group" aria-label={strings.table} tabIndex={0}>
      <table>{children}</table>
    </div>
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
