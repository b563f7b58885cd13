import type { ToolState, ToolUse } from '@ziggie/llm-client/conversation';
import { type ReactElement, useId, useState } from 'react';
import { useSelected } from '../hooks/use-cell.ts';
import { ToolIcon } from '../icons/action-icons.tsx';
import { ChevronDownIcon, RingIcon } from '../icons/icons.tsx';
import { useSession } from '../provider/session.ts';
import { type Text, useText } from '../text/text-context.ts';
import { RawData } from './raw-data.tsx';
import { type ToolView, useToolView } from './tool-views.ts';

/** One call of a tool: what it does, its exact arguments, and what came of it. Asks the reader when it must not run alone. */
export function ToolCard({ use, live }: { use: ToolUse; live: boolean }): ReactElement {
  const text = useText();
  const { strings } = text;
  const view = useToolView(use.name);
  const asks = useAsks(use, live);
  const { approvals } = useSession();
  const isHeld = useSelected(approvals.waiting, (waiting) => waiting.length > 0);
  const [open, setOpen] = useState(false);
  const bodyId = useId();
  const state = stateOf(use, live);
  const shown = open || asks;
  // Others wait behind the one that is asked about.
  const title = titleOf(use, view, text, state === 'called' && isHeld);
  return (
    <section className="zg-tool" data-state={asks ? 'waiting' : state} aria-label={title}>
      <button
        type="button"
        className="zg-tool-head"
        aria-expanded={shown}
        aria-controls={bodyId}
        aria-disabled={asks}
        onClick={() => {
          if (!asks) setOpen(!open);
        }}
      >
        {state === 'running' ? <RingIcon /> : <ToolIcon />}
        <span className="zg-tool-title">{title}</span>
        <span className="zg-tool-state">{asks ? strings.toolWaiting : stateWords(use, state, text)}</span>
        {asks ? null : <ChevronDownIcon />}
      </button>
      {view.Result !== undefined && use.result !== undefined ? <view.Result use={use} /> : null}
      <div id={bodyId} className="zg-tool-body" hidden={!shown}>
        {shown ? (
          <>
            <p className="zg-tool-label">{strings.toolArguments}</p>
            <RawData value={use.arguments} label={strings.toolArguments} />
            {use.result === undefined ? null : (
              <>
                <p className="zg-tool-label">{strings.toolResult}</p>
                <RawData value={use.result} label={strings.toolResult} />
              </>
            )}
          </>
        ) : null}
      </div>
      {asks ? <Decision use={use} view={view} /> : null}
    </section>
  );
}

/** Deny first, and neither of them taken for the other: what cannot be undone has no default. */
function Decision({ use, view }: { use: ToolUse; view: ToolView }): ReactElement {
  const { strings } = useText();
  const { approvals } = useSession();
  const { destructive = true } = view;
  const harms = typeof destructive === 'function' ? destructive(use) : destructive;
  return (
    <div className="zg-tool-decision">
      <button
        type="button"
        className="zg-button-plain"
        onClick={() => approvals.decide(use.id, { approved: false })}
      >
        {strings.toolDeny}
      </button>
      <button
        type="button"
        className={harms ? 'zg-button-plain' : 'zg-button-main'}
        onClick={() => approvals.decide(use.id, { approved: true })}
      >
        {strings.toolAllow}
      </button>
    </div>
  );
}

/** Whether this very call waits for the reader: not one that was saved while it waited. */
export function useAsks(use: ToolUse, live: boolean): boolean {
  const { approvals } = useSession();
  const isAsked = useSelected(approvals.waiting, (waiting) => waiting.some(({ id }) => id === use.id));
  return live && isAsked && use.result === undefined;
}

type Shown = Exclude<ToolState, 'waiting'> | 'not-run';

function stateOf({ state = 'called' }: ToolUse, live: boolean): Shown {
  if (state === 'done' || state === 'failed' || state === 'denied') return state;
  if (!live) return 'not-run';
  return state === 'running' ? 'running' : 'called';
}

function stateWords(use: ToolUse, state: Shown, { strings, format }: Text): string {
  switch (state) {
    case 'called':
    case 'running':
      return '';
    case 'done':
      return use.durationMs === undefined ? strings.toolDone : format.duration(use.durationMs, true);
    case 'failed':
      return strings.toolFailed;
    case 'denied':
      return strings.toolDenied;
    case 'not-run':
      return strings.toolNotRun;
  }
}

function titleOf(use: ToolUse, { title }: ToolView, { strings }: Text, isWish: boolean): string {
  if (title !== undefined) return title(use);
  const name = use.name.replace(/[_-]+/g, ' ');
  if (use.result !== undefined) return strings.toolUsed(name);
  return isWish ? strings.toolAsks(name) : strings.tool(name);
}
