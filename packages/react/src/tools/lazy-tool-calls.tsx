import type { ReactElement } from 'react';
import { lazyPart } from '../parts/lazy-part.tsx';
import { MOST_APART } from './most-apart.ts';
import type { ToolCallsProps } from './tool-calls.tsx';

/** The calls of one round, see `ToolCalls`; until they are there, lines of the same height. */
export const LazyToolCalls = lazyPart<ToolCallsProps>(
  () => import('./tool-calls.tsx').then(({ ToolCalls }) => ToolCalls),
  { early: true, Waiting: EmptyCards },
);

function EmptyCards({ uses }: ToolCallsProps): ReactElement {
  return (
    <div className="zg-tools">
      {(uses.length > MOST_APART ? uses.slice(0, 1) : uses).map((_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: calls are only added
        <div key={index} className="zg-tool">
          <div className="zg-tool-head" />
        </div>
      ))}
    </div>
  );
}
