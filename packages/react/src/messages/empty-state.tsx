import type { ReactElement, ReactNode } from 'react';
import { useChat } from '../hooks/use-chat.ts';
import { useModels } from '../hooks/use-models.ts';
import { useText } from '../text/text-context.ts';

interface EmptyStateProps {
  greeting?: ReactNode | undefined;
  starters?: readonly string[] | undefined;
}

/** What an empty conversation shows: a question, and first messages to pick from. */
export function EmptyState({ greeting, starters = [] }: EmptyStateProps): ReactElement {
  const { strings } = useText();
  const { send } = useChat();
  const { current } = useModels();
  return (
    <div className="zg-empty">
      <h2 className="zg-greeting">{greeting ?? strings.greeting}</h2>
      {starters.length === 0 ? null : (
        <ul className="zg-starters" aria-label={strings.starters}>
          {starters.map((starter) => (
            <li key={starter}>
              <button
                type="button"
                className="zg-pill"
                aria-disabled={current === null}
                onClick={() => {
                  if (current !== null) void send(starter).catch(() => {});
                }}
              >
                {starter}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
