import type { ToolUse } from '@ziggie/llm-client/conversation';
import { type ReactElement, useId, useState } from 'react';
import { ToolIcon } from '../icons/action-icons.tsx';
import { ChevronDownIcon, RingIcon } from '../icons/icons.tsx';
import { useText } from '../text/text-context.ts';
import { MOST_APART } from './most-apart.ts';
import { ToolCard, useAsks } from './tool-card.tsx';

export interface ToolCallsProps {
  uses: readonly ToolUse[];
  live: boolean;
}

/** The calls of one round. What waits for the reader is always in sight. */
export function ToolCalls({ uses, live }: ToolCallsProps): ReactElement {
  if (uses.length <= MOST_APART) {
    return (
      <div className="zg-tools">
        {uses.map((use, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: calls are only added, and engines repeat ids
          <ToolCard key={index} use={use} live={live} />
        ))}
      </div>
    );
  }
  return <ToolGroup uses={uses} live={live} />;
}

function ToolGroup({ uses, live }: { uses: readonly ToolUse[]; live: boolean }): ReactElement {
  const { strings, format } = useText();
  const [open, setOpen] = useState(false);
  const listId = useId();
  const done = uses.filter(({ result }) => result !== undefined).length;
  const failed = uses.filter(({ state }) => state === 'failed' || state === 'denied').length;
  return (
    <div className="zg-tools">
      <div className="zg-tool" data-state={done < uses.length && live ? 'running' : 'done'}>
        <button
          type="button"
          className="zg-tool-head"
          aria-expanded={open}
          aria-controls={listId}
          onClick={() => setOpen(!open)}
        >
          {done < uses.length && live ? <RingIcon /> : <ToolIcon />}
          <span className="zg-tool-title">
            {live && done < uses.length
              ? strings.toolsRunning(format.count(done), format.count(uses.length))
              : strings.toolsUsed(format.count(uses.length))}
          </span>
          <span className="zg-tool-state">
            {failed === 0 ? '' : strings.toolsFailed(format.count(failed))}
          </span>
          <ChevronDownIcon />
        </button>
      </div>
      <div id={listId} className="zg-tools" data-grouped="">
        {uses.map((use, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: calls are only added, and engines repeat ids
          <GroupedCard key={index} use={use} live={live} open={open} />
        ))}
      </div>
    </div>
  );
}

function GroupedCard({
  use,
  live,
  open,
}: {
  use: ToolUse;
  live: boolean;
  open: boolean;
}): ReactElement | null {
  const asks = useAsks(use, live);
  return open || asks ? <ToolCard use={use} live={live} /> : null;
}
