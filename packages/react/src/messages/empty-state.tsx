import type { AnyTemplate } from '@ziggie/llm-client/templates';
import type { ReactElement, ReactNode } from 'react';
import { useChatParts } from '../chat/chat-parts.ts';
import { useChat } from '../hooks/use-chat.ts';
import { useModels } from '../hooks/use-models.ts';
import { useText } from '../text/text-context.ts';

/** A first message: its words, words behind a shorter label, or a template that asks for its values. */
export type Starter =
  | string
  | { readonly label: string; readonly text: string }
  | { readonly label: string; readonly template: AnyTemplate };

interface EmptyStateProps {
  greeting?: ReactNode | undefined;
  starters?: readonly Starter[] | undefined;
}

/** What an empty conversation shows: a question, and first messages to pick from. */
export function EmptyState({ greeting, starters = [] }: EmptyStateProps): ReactElement {
  const { strings } = useText();
  const { send } = useChat();
  const { current } = useModels();
  const { template } = useChatParts();
  const begin = (starter: Starter) => {
    if (typeof starter === 'object' && 'template' in starter) {
      template.set({ template: starter.template, values: {} });
    } else if (current !== null) {
      void send(typeof starter === 'string' ? starter : starter.text).catch(() => {});
    }
  };
  return (
    <div className="zg-empty">
      <h2 className="zg-greeting">{greeting ?? strings.greeting}</h2>
      {starters.length === 0 ? null : (
        <ul className="zg-starters" aria-label={strings.starters}>
          {starters.map((starter) => (
            <li key={labelOf(starter)}>
              <button
                type="button"
                className="zg-pill"
                aria-disabled={current === null}
                onClick={() => begin(starter)}
              >
                {labelOf(starter)}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function labelOf(starter: Starter): string {
  return typeof starter === 'string' ? starter : starter.label;
}
