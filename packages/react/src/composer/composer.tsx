import { type ReactElement, type Ref, useId, useImperativeHandle, useRef, useState } from 'react';
import { useChatParts } from '../chat/chat-parts.ts';
import { useChat } from '../hooks/use-chat.ts';
import { useIsRunning } from '../hooks/use-messages.ts';
import { useModels } from '../hooks/use-models.ts';
import { SendIcon, StopIcon } from '../icons/icons.tsx';
import { useText } from '../text/text-context.ts';
import { enterSends } from './enter-sends.ts';
import { useSettledClick } from './use-settled-click.ts';

/** What others may ask of the composer. */
export interface ComposerHandle {
  focus(): void;
}

/** Where the reader writes. Enter sends; while an answer is written the draft waits and the button stops the answer. */
export function Composer({ handle }: { handle?: Ref<ComposerHandle> | undefined }): ReactElement {
  const { strings } = useText();
  const { send, stop } = useChat();
  const { followEnd } = useChatParts();
  const running = useIsRunning();
  const { current: model, models, status } = useModels();
  const [draft, setDraft] = useState('');
  const input = useRef<HTMLTextAreaElement>(null);
  const hintId = useId();
  useImperativeHandle(handle, () => ({ focus: () => input.current?.focus({ preventScroll: true }) }), []);

  const canSend = !running && model !== null && draft.trim() !== '';
  const submit = () => {
    if (!canSend) return;
    const words = draft;
    setDraft('');
    followEnd();
    // A turn that fails keeps the words in the transcript; one that could not begin gives them back.
    send(words).catch(() => setDraft((now) => (now === '' ? words : now)));
  };
  const settledClick = useSettledClick(running);
  const hintKind = running ? 'busy' : model === null ? 'model' : 'keys';
  const whyNoModel =
    models.length > 0
      ? strings.hintNoModel
      : { loading: strings.modelsLoading, failed: strings.modelsFailed, ready: strings.noModels }[status];
  const hint = { busy: strings.hintBusy, model: whyNoModel, keys: strings.hint }[hintKind];

  return (
    <form
      className="zg-composer"
      aria-label={strings.composer}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className="zg-composer-box">
        {/* The copy of the draft gives the box its height; the input lies over it. */}
        <div className="zg-grow" data-draft={`${draft}\n`}>
          <textarea
            ref={input}
            rows={1}
            value={draft}
            dir={draft === '' ? undefined : 'auto'}
            aria-label={strings.composer}
            aria-describedby={hintId}
            placeholder={running ? strings.placeholderBusy : strings.placeholder}
            enterKeyHint="send"
            onChange={(event) => setDraft(event.target.value)}
            onKeyDown={(event) => {
              const { key, shiftKey, altKey, keyCode } = event;
              if (!enterSends({ key, shiftKey, altKey, keyCode, isComposing: event.nativeEvent.isComposing }))
                return;
              event.preventDefault();
              submit();
            }}
          />
        </div>
        <div className="zg-composer-row">
          <span className="zg-hint" data-hint={hintKind} id={hintId}>
            {hint}
          </span>
          <button
            type="button"
            className="zg-send"
            data-mode={running ? 'stop' : 'send'}
            aria-label={running ? strings.stop : strings.send}
            aria-disabled={!running && !canSend}
            onClick={settledClick(running ? stop : submit)}
          >
            {running ? <StopIcon /> : <SendIcon />}
          </button>
        </div>
      </div>
    </form>
  );
}
