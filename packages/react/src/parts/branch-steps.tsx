import type { ReactElement } from 'react';
import { useBranches } from '../hooks/use-branches.ts';
import { NextIcon, PreviousIcon } from '../icons/icons.tsx';
import { useText } from '../text/text-context.ts';

interface BranchStepsProps {
  messageId: string;
  busy: boolean;
  /** Names of the two buttons. */
  previous: string;
  next: string;
}

/** Steps through the siblings of a message; nothing while it has none. */
export function BranchSteps({ messageId, busy, previous, next }: BranchStepsProps): ReactElement | null {
  const { strings, format } = useText();
  const { index, count, go } = useBranches(messageId);
  if (count < 2) return null;
  const step = (by: -1 | 1, label: string, icon: ReactElement, atEnd: boolean) => (
    <button
      type="button"
      className="zg-icon-button"
      aria-label={label}
      aria-disabled={busy || atEnd}
      onClick={() => {
        if (!busy) go(by);
      }}
    >
      {icon}
    </button>
  );
  return (
    <>
      {step(-1, previous, <PreviousIcon />, index === 0)}
      <span className="zg-branch">{strings.answerOf(format.count(index + 1), format.count(count))}</span>
      {step(1, next, <NextIcon />, index === count - 1)}
    </>
  );
}
