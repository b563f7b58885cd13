import type { MessageNode, RunPhase } from '@ziggie/llm-client/conversation';
import { type ReactElement, useId, useState } from 'react';
import { useRun } from '../hooks/use-messages.ts';
import { ChevronDownIcon } from '../icons/icons.tsx';
import { useNow } from '../status/use-now.ts';
import { breakMarks } from '../text/break-marks.ts';
import { useText } from '../text/text-context.ts';

const thinkingSince = (phase: RunPhase | null) => (phase?.kind === 'thinking' ? phase.startedAt : null);

/**
 * What the model thought. While it thinks: a window of two lines that shows the newest. Afterwards one line that opens by
 * a click, and never by itself.
 */
export function Thinking({ message }: { message: MessageNode }): ReactElement {
  const live = message.end === undefined && message.text === '';
  return live ? <LiveThinking text={message.thinking} /> : <ThoughtFold message={message} />;
}

function LiveThinking({ text }: { text: string }): ReactElement {
  const { strings, format } = useText();
  const since = useRun(thinkingSince);
  const now = useNow(since !== null);
  const seconds = since === null ? 0 : Math.floor((now - since) / 1_000);
  return (
    <div className="zg-thinking" data-live="">
      <p className="zg-thinking-head">
        {seconds < 1 ? strings.thinking : strings.thinkingFor(format.duration(seconds * 1_000))}
      </p>
      <div className="zg-thinking-window">
        <p dir="auto">{breakMarks(tail(text))}</p>
      </div>
    </div>
  );
}

function ThoughtFold({ message }: { message: MessageNode }): ReactElement {
  const { strings, format } = useText();
  const [open, setOpen] = useState(false);
  const bodyId = useId();
  const { thinkingMs } = message;
  return (
    <div className="zg-thinking">
      <button
        type="button"
        className="zg-thinking-head"
        aria-expanded={open}
        aria-controls={bodyId}
        onClick={() => setOpen(!open)}
      >
        {thinkingMs === undefined || thinkingMs < 100
          ? strings.thought
          : strings.thoughtFor(format.duration(thinkingMs))}
        <ChevronDownIcon />
      </button>
      <p className="zg-thinking-body" id={bodyId} hidden={!open} dir="auto">
        {message.thinking}
      </p>
    </div>
  );
}

/** The window shows two lines; laying out more than a screen of text for them on every frame is wasted. */
const WINDOW_CHARACTERS = 600;

function tail(text: string): string {
  if (text.length <= WINDOW_CHARACTERS) return text;
  const cut = text.slice(-WINDOW_CHARACTERS);
  return cut.slice(cut.indexOf(' ') + 1);
}
