import type { ModelInfo } from '@ziggie/llm-protocol';
import { type KeyboardEvent, type ReactElement, useEffect, useRef, useState } from 'react';
import { useModels } from '../hooks/use-models.ts';
import { CheckIcon } from '../icons/icons.tsx';
import { useNow } from '../status/use-now.ts';
import { useText } from '../text/text-context.ts';
import { describeAbilities, describeModel, loadStateOf } from './describe-model.ts';
import { moveInList } from './move-in-list.ts';

export interface ModelOptionsProps {
  id: string;
  /** Something follows the list: Tab goes there. */
  hasMore: boolean;
  onClose: () => void;
}

/** The models to choose from, or why there are none. */
export function ModelOptions(props: ModelOptionsProps): ReactElement {
  const { models, status, refresh } = useModels();
  return models.length > 0 ? (
    <OptionList {...props} models={models} />
  ) : (
    <NoModels status={status} onRetry={refresh} onClose={props.onClose} />
  );
}

type OptionListProps = ModelOptionsProps & { models: readonly ModelInfo[] };

function OptionList({ id, models, hasMore, onClose }: OptionListProps): ReactElement {
  const { current, pick: onPick } = useModels();
  const text = useText();
  const now = useNow(true);
  const list = useRef<HTMLDivElement>(null);
  const currentIndex = models.findIndex((model) => model.name === current);
  const [active, setActive] = useState(Math.max(0, currentIndex));
  const typed = useRef({ text: '', at: 0 });
  const optionId = (index: number) => `${id}-${index}`;
  useEffect(() => list.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
  }, [active]);

  const choose = (index: number) => {
    const model = models[index];
    if (model !== undefined) onPick(model.name);
    onClose();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Tab' && hasMore) return;
    if (event.key === 'Escape' || event.key === 'Tab') {
      if (event.key === 'Escape') event.stopPropagation();
      onClose();
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      choose(active);
    } else {
      const names = models.map((model) => model.name);
      const next = moveInList(event.key, active, names, typed.current, event.timeStamp);
      if (next === null) return;
      event.preventDefault();
      setActive(next);
    }
  };

  return (
    <div
      ref={list}
      id={id}
      className="zg-options"
      role="listbox"
      tabIndex={0}
      aria-label={text.strings.pickModel}
      aria-activedescendant={optionId(active)}
      onKeyDown={onKeyDown}
    >
      {models.map((model, index) => (
        // biome-ignore lint/a11y/useFocusableInteractive: the list has the focus and names the active option
        // biome-ignore lint/a11y/useKeyWithClickEvents: keys are handled by the list
        <div
          key={model.name}
          id={optionId(index)}
          className="zg-option"
          role="option"
          aria-selected={model.name === current}
          data-active={index === active ? '' : undefined}
          onPointerMove={() => setActive(index)}
          onClick={() => choose(index)}
        >
          <span className="zg-dot" data-load={loadStateOf(model)} />
          <span className="zg-option-text">
            <span className="zg-option-name">{model.name}</span>
            <span className="zg-option-detail">{describeModel(model, text, 'long', now)}</span>
            <span className="zg-option-detail">{describeAbilities(model, text)}</span>
          </span>
          {model.name === current ? <CheckIcon /> : null}
        </div>
      ))}
    </div>
  );
}

interface NoModelsProps {
  status: 'loading' | 'ready' | 'failed';
  onRetry: () => Promise<void>;
  onClose: () => void;
}

function NoModels({ status, onRetry, onClose }: NoModelsProps): ReactElement {
  const { strings } = useText();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus({ preventScroll: true }), []);
  const words = { loading: strings.modelsLoading, failed: strings.modelsFailed, ready: strings.noModels };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes from wherever the focus is inside
    <div
      ref={box}
      className="zg-no-models"
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose();
      }}
    >
      <p>{words[status]}</p>
      {status === 'loading' ? null : (
        <button type="button" className="zg-button-text" onClick={() => void onRetry()}>
          {strings.modelsRetry}
        </button>
      )}
    </div>
  );
}
