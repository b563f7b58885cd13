import type { RunPhase } from '@ziggie/llm-client/conversation';
import { type ReactElement, type Ref, useEffect, useId, useImperativeHandle, useRef, useState } from 'react';
import { useRun } from '../hooks/use-messages.ts';
import { useModels } from '../hooks/use-models.ts';
import { ChevronDownIcon } from '../icons/icons.tsx';
import { useText } from '../text/text-context.ts';
import { describeModel, loadStateOf } from './describe-model.ts';
import { LazyModelAdmin } from './lazy-model-admin.tsx';
import { LazyModelOptions } from './lazy-model-options.ts';

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
  const { models, status, current, refresh } = useModels();
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
          <LazyModelOptions id={listId} hasMore={manage} onClose={close} />
          {manage ? <LazyModelAdmin picked={picked} /> : null}
        </div>
      ) : null}
    </div>
  );
}
