import { reconnectNow } from '@ziggie/llm-client';
import type { RunPhase } from '@ziggie/llm-client/conversation';
import { memo, type ReactElement } from 'react';
import { useSelected } from '../hooks/use-cell.ts';
import { useChat } from '../hooks/use-chat.ts';
import { ChipIcon, RingIcon, StopIcon } from '../icons/icons.tsx';
import { useSession } from '../provider/session.ts';
import { useText } from '../text/text-context.ts';
import { countsFor } from './count-tokens.ts';
import { describePhase, type TokenCounts } from './describe-phase.ts';
import { useNow } from './use-now.ts';
import { usePaced } from './use-paced.ts';

/** One line of fixed height that says what the machine is really doing. */
export const StatusLine = memo(function StatusLine({
  hideThinking = false,
}: {
  hideThinking?: boolean | undefined;
}): ReactElement | null {
  const { conversation, approvals } = useSession();
  const asks = useSelected(approvals.waiting, (waiting) => waiting.length > 0);
  const phase = usePaced(conversation.phase);
  const { stop } = useChat();
  if (phase === null) return null;
  return (
    <PhaseLine
      phase={phase}
      counts={countsFor(phase, conversation)}
      asks={asks && phase.kind === 'tool'}
      hideWords={hideThinking && phase.kind === 'thinking'}
      onCancel={stop}
    />
  );
});

interface PhaseLineProps {
  phase: RunPhase;
  counts?: TokenCounts | undefined;
  /** The reader has to decide first. */
  asks?: boolean | undefined;
  /** The words stand elsewhere already. */
  hideWords?: boolean | undefined;
  onCancel: () => void;
}

/** A phase in words, with its icon, its numbers and a way out. */
export function PhaseLine({
  phase,
  counts,
  asks = false,
  hideWords = false,
  onCancel,
}: PhaseLineProps): ReactElement {
  const text = useText();
  const now = useNow(phase.kind === 'loading' || phase.kind === 'thinking' || phase.kind === 'reconnecting');
  const { icon, label, detail, progress, canCancel, canTryNow } = describePhase(phase, now, text, counts);
  return (
    <div className="zg-status" data-phase={phase.kind}>
      {hideWords ? null : icon === 'chip' ? <ChipIcon /> : icon === 'stop' ? <StopIcon /> : <RingIcon />}
      <span className="zg-status-text">
        {hideWords ? null : asks ? text.strings.toolWaiting : label}
        {detail === '' || hideWords ? null : <span className="zg-status-detail"> {detail}</span>}
      </span>
      {canTryNow ? (
        <button type="button" className="zg-button-text" onClick={reconnectNow}>
          {text.strings.tryNow}
        </button>
      ) : null}
      {canCancel && !hideWords ? (
        <button type="button" className="zg-button-text" onClick={onCancel}>
          {text.strings.cancel}
        </button>
      ) : null}
      {progress === null ? null : (
        <progress className="zg-bar" max={1} value={progress} aria-label={text.strings.loadingProgress} />
      )}
    </div>
  );
}
