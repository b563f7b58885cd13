import type { RunPhase } from '@ziggie/llm-client/conversation';
import type { ModelInfo } from '@ziggie/llm-protocol';
import {
  type KeyboardEvent,
  type ReactElement,
  type Ref,
  useEffect,
  useId,
  useImperativeHandle,
  useRef,
  useState,
} from 'react';
import { useRun } from '../hooks/use-messages.ts';
import { useModels } from '../hooks/use-models.ts';
import { CheckIcon, ChevronDownIcon } from '../icons/icons.tsx';
import { useNow } from '../status/use-now.ts';
import { useText } from '../text/text-context.ts';
import { describeAbilities, describeModel, loadStateOf } from './describe-model.ts';
import { LazyModelAdmin } from './lazy-model-admin.tsx';
import { moveInList } from './move-in-list.ts';

/** What others may ask of the picker. */
export interface ModelPickerHandle {
  open(): void;
}

function workOf(phase: RunPhase | null): 'none' | 'waiting' | 'answering' {
  if (phase === null) return 'none';
  return phase.kind === 'thinking' || phase.kind === 'writing' ? 'answering' : 'waiting';
}

/** Props of `ModelPicker`. */
export interface ModelPickerProps {
  handle?: Ref<ModelPickerHandle> | undefined;
  /** Whether models can be pulled, loaded and freed here, as far as the server lets this caller. Default `false`. */
  manage?: boolean | undefined;
}

/** A button that names the model, and a list of the others with their size and whether they are in memory. */
export function ModelPicker({ handle, manage = false }: ModelPickerProps): ReactElement {
  const text = useText();
  const { strings } = text;
  const { models, status, current, pick, refresh } = useModels();
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const listId = useId();
  const picked = models.find((model) => model.name === current || model.aliases.includes(current ?? ''));

  // A model that answers is in memory. The server is asked only when the list says otherwise: each question counts
  // against the reader's limits.
  const work = useRun(workOf);
  const before = useRef(work);
  const stale = picked?.loaded === null;
  useEffect(() => {
    if (before.current === work) return;
    before.current = work;
    if (work !== 'waiting' && stale) void refresh();
  }, [work, stale, refresh]);

  const show = () => {
    setOpen(true);
    void refresh();
  };
  useImperativeHandle(handle, () => ({ open: show }));
  const close = () => {
    setOpen(false);
    button.current?.focus({ preventScroll: true });
  };
  const missing = status === 'ready' && current !== null && picked === undefined;

  return (
    <div className="zg-picker">
      <button
        ref={button}
        type="button"
        className="zg-picker-button"
        aria-haspopup="listbox"
        aria-expanded={open}
        aria-controls={open ? listId : undefined}
        onClick={() => (open ? close() : show())}
      >
        <span className="zg-sr">{strings.model}: </span>
        <span className="zg-dot" data-load={loadStateOf(picked)} />
        <span className="zg-picker-name">{current ?? strings.pickModel}</span>
        {missing ? <span className="zg-picker-detail">{strings.modelMissing}</span> : null}
        {picked === undefined ? null : (
          <>
            <span className="zg-picker-detail zg-wide">{describeModel(picked, text, 'short')}</span>
            <span className="zg-picker-detail zg-narrow">{describeModel(picked, text, 'brief')}</span>
          </>
        )}
        <ChevronDownIcon />
      </button>
      {open ? (
        // biome-ignore lint/a11y/noStaticElementInteractions: only watches the focus leave
        <div
          className="zg-popover"
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return;
            event.stopPropagation();
            close();
          }}
          onBlur={(event) => {
            if (!event.currentTarget.contains(event.relatedTarget) && event.relatedTarget !== button.current)
              setOpen(false);
          }}
        >
          {models.length > 0 ? (
            <ModelOptions
              id={listId}
              models={models}
              current={current}
              hasMore={manage}
              onPick={pick}
              onClose={close}
            />
          ) : (
            <NoModels status={status} onRetry={refresh} onClose={close} />
          )}
          {manage ? <LazyModelAdmin picked={picked} /> : null}
        </div>
      ) : null}
    </div>
  );
}

interface ModelOptionsProps {
  id: string;
  models: readonly ModelInfo[];
  current: string | null;
  /** Something follows the list: Tab goes there. */
  hasMore: boolean;
  onPick: (name: string) => void;
  onClose: () => void;
}

function ModelOptions({ id, models, current, hasMore, onPick, onClose }: ModelOptionsProps): ReactElement {
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
