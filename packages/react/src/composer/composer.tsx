import { type ReactElement, type Ref, useId, useImperativeHandle, useRef } from 'react';
import { AttachButton } from '../attachments/attach-button.tsx';
import { AttachmentTray } from '../attachments/attachment-tray.tsx';
import { useChatParts } from '../chat/chat-parts.ts';
import { LazySlashMenu, LazyTemplateForm } from '../commands/lazy-commands.tsx';
import { readSlash } from '../commands/read-slash.ts';
import type { SlashMenuHandle } from '../commands/slash-menu.tsx';
import { useCell } from '../hooks/use-cell.ts';
import { useChat } from '../hooks/use-chat.ts';
import { useModels } from '../hooks/use-models.ts';
import { SlashIcon } from '../icons/action-icons.tsx';
import { SendIcon, StopIcon } from '../icons/icons.tsx';
import { useSession } from '../provider/session.ts';
import { useText } from '../text/text-context.ts';
import { LazyVoiceButton } from '../voice/lazy-voice-button.tsx';
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
  const { text, mode, canSend, submit, setText } = composer;
  const { followEnd, editing, template } = useChatParts();
  const { attachments: rules, commands, voice, locale } = useComposerOptions();
  const { send: sendText } = useChat();
  const asked = useCell(template);
  const slash = useRef<SlashMenuHandle>(null);
  const hasSlash = commands !== null && readSlash(text) !== null;
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

  if (asked !== null) {
    return (
      <LazyTemplateForm
        asked={asked}
        composer={composer}
        onSend={(words) => {
          followEnd();
          // A turn that could not begin gives the words back.
          sendText(words).catch(() => setText(words));
        }}
        onClose={() => {
          template.set(null);
          requestAnimationFrame(() => input.current?.focus({ preventScroll: true }));
        }}
      />
    );
  }
  return (
    <form
      className="zg-composer"
      aria-label={strings.composer}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {hasSlash ? <LazySlashMenu handle={slash} composer={composer} field={input} /> : null}
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
              if (slash.current?.onKeyDown(event)) return;
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
          {commands === null ? null : (
            <button
              type="button"
              className="zg-icon-button"
              aria-label={strings.commands}
              title={strings.commands}
              onClick={() => {
                setText(text.startsWith('/') ? text : `/${text}`);
                input.current?.focus({ preventScroll: true });
              }}
            >
              <SlashIcon />
            </button>
          )}
          {voice === null ? null : (
            <LazyVoiceButton
              adapter={voice}
              locale={locale}
              onDone={() => input.current?.focus({ preventScroll: true })}
            />
          )}
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
  const storage = useCell(useSession().conversation.storageState);
  if (problems.length > 0) return { kind: 'problem', words: strings.hintProblem };
  if (isReading) return { kind: 'reading', words: strings.hintReading };
  if (mode === 'queue') return { kind: 'busy', words: strings.hintBusy };
  if (current !== null) return { kind: 'keys', words: strings.hint };
  // Which model it was is part of what is being read.
  if (storage === 'loading') return { kind: 'reading', words: '' };
  const why = { loading: strings.modelsLoading, failed: strings.modelsFailed, ready: strings.noModels };
  return { kind: 'model', words: models.length > 0 ? strings.hintNoModel : why[status] };
}
