import { type ReactElement, type Ref, useId, useImperativeHandle, useRef } from 'react';
import { AttachButton } from '../attachments/attach-button.tsx';
import { AttachmentTray } from '../attachments/attachment-tray.tsx';
import { useChatParts } from '../chat/chat-parts.ts';
import { useChat } from '../hooks/use-chat.ts';
import { useModels } from '../hooks/use-models.ts';
import { SendIcon, StopIcon } from '../icons/icons.tsx';
import { useSession } from '../provider/session.ts';
import { useText } from '../text/text-context.ts';
import { useComposerOptions } from './composer-context.ts';
import { enterSends } from './enter-sends.ts';
import { type ComposerView, useComposer } from './use-composer.ts';
import { useSettledClick } from './use-settled-click.ts';

/** What others may ask of the composer. */
export interface ComposerHandle {
  focus(): void;
}

/** Where the reader writes. Enter sends; while an answer is written what is sent waits its turn, and Stop stays at hand. */
export function Composer({ handle }: { handle?: Ref<ComposerHandle> | undefined }): ReactElement {
  const { strings } = useText();
  const composer = useComposer();
  const { followEnd, editing } = useChatParts();
  const { attachments: rules } = useComposerOptions();
  const { text, mode, canSend, submit, setText } = composer;
  const lastQuestion = useLastQuestion();
  const input = useRef<HTMLTextAreaElement>(null);
  const hintId = useId();
  useImperativeHandle(handle, () => ({ focus: () => input.current?.focus({ preventScroll: true }) }), []);
  const hint = useHint(composer);
  const send = (whenBusy?: 'interrupt') => {
    if (!canSend) return;
    followEnd();
    submit(whenBusy && { whenBusy });
  };

  return (
    <form
      className="zg-composer"
      aria-label={strings.composer}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="zg-composer-box">
        <AttachmentTray composer={composer} />
        {/* The copy of the draft gives the box its height; the input lies over it. */}
        <div className="zg-grow" data-draft={`${text}\n`}>
          <textarea
            ref={input}
            rows={1}
            value={text}
            dir={text === '' ? undefined : 'auto'}
            aria-label={strings.composer}
            aria-describedby={hintId}
            placeholder={mode === 'queue' ? strings.placeholderBusy : strings.placeholder}
            enterKeyHint="send"
            onChange={(event) => setText(event.target.value)}
            onPaste={(event) => {
              const files = [...event.clipboardData.files];
              if (rules === null || files.length === 0) return;
              event.preventDefault();
              void composer.addFiles(files);
            }}
            onKeyDown={(event) => {
              const { key, shiftKey, altKey, keyCode, nativeEvent } = event;
              const { isComposing } = nativeEvent;
              if (key === 'ArrowUp' && text === '' && !isComposing && keyCode !== 229) {
                const id = mode === 'send' ? lastQuestion() : null;
                if (id === null) return;
                event.preventDefault();
                editing.set(id);
              } else if (enterSends({ key, shiftKey, altKey, keyCode, isComposing })) {
                event.preventDefault();
                send(event.ctrlKey || event.metaKey ? 'interrupt' : undefined);
              }
            }}
          />
        </div>
        <div className="zg-composer-row">
          {rules === null ? null : <AttachButton rules={rules} onFiles={composer.addFiles} />}
          <span className="zg-hint" data-hint={hint.kind} id={hintId}>
            {hint.words}
          </span>
          <SendButtons mode={mode} canSend={canSend} hasDraft={text.trim() !== ''} onSend={() => send()} />
        </div>
      </div>
    </form>
  );
}

interface SendButtonsProps {
  mode: ComposerView['mode'];
  canSend: boolean;
  hasDraft: boolean;
  onSend: () => void;
}

/** Stop keeps its place while an answer is written; what queues a draft stands before it. */
function SendButtons({ mode, canSend, hasDraft, onSend }: SendButtonsProps): ReactElement {
  const { strings } = useText();
  const { stop } = useChat();
  const running = mode === 'queue';
  const settledClick = useSettledClick(running);
  return (
    <>
      {running && hasDraft ? (
        <button
          type="button"
          className="zg-send"
          data-mode="queue"
          aria-label={strings.queueMessage}
          title={strings.queueMessage}
          aria-disabled={!canSend}
          onClick={onSend}
        >
          <SendIcon />
        </button>
      ) : null}
      <button
        type="button"
        className="zg-send"
        data-mode={running ? 'stop' : 'send'}
        aria-label={running ? strings.stop : strings.send}
        aria-disabled={!running && !canSend}
        onClick={settledClick(running ? stop : onSend)}
      >
        {running ? <StopIcon /> : <SendIcon />}
      </button>
    </>
  );
}

/** Looks up, when asked, which message of the reader is the last one. */
function useLastQuestion(): () => string | null {
  const { conversation } = useSession();
  return () => {
    const ids = conversation.messageIds.get();
    return ids.findLast((id) => conversation.message(id).get()?.role === 'user') ?? null;
  };
}

function useHint({ mode, problems, isReading }: ComposerView): { kind: string; words: string } {
  const { strings } = useText();
  const { current, models, status } = useModels();
  if (problems.length > 0) return { kind: 'problem', words: strings.hintProblem };
  if (isReading) return { kind: 'reading', words: strings.hintReading };
  if (mode === 'queue') return { kind: 'busy', words: strings.hintBusy };
  if (current !== null) return { kind: 'keys', words: strings.hint };
  const why = { loading: strings.modelsLoading, failed: strings.modelsFailed, ready: strings.noModels };
  return { kind: 'model', words: models.length > 0 ? strings.hintNoModel : why[status] };
}
