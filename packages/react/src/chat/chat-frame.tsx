import { type ReactElement, useEffect, useMemo, useRef, useState } from 'react';
import { Announcer } from '../announce/announcer.tsx';
import { useTurnAnnouncements } from '../announce/use-turn-announcements.ts';
import { Composer, type ComposerHandle } from '../composer/composer.tsx';
import { useCell } from '../hooks/use-cell.ts';
import { useMessageIds } from '../hooks/use-messages.ts';
import { EmptyState } from '../messages/empty-state.tsx';
import { ModelPicker, type ModelPickerHandle } from '../model-picker/model-picker.tsx';
import { useSession } from '../provider/session.ts';
import { FollowEnd } from '../scroll/follow-end.ts';
import { useText } from '../text/text-context.ts';
import { type ChatParts, ChatPartsContext } from './chat-parts.ts';
import { HistoryLoading } from './history-loading.tsx';
import { StartOver } from './start-over.tsx';
import { Transcript } from './transcript.tsx';
import { useFirstModel } from './use-first-model.ts';
import type { ZiggieChatProps } from './ziggie-chat-props.ts';

/** The chat inside a session: header, transcript, composer and live regions in one root. */
export function ChatFrame(props: ZiggieChatProps): ReactElement {
  const {
    greeting,
    starters,
    modelPicker = true,
    startOver = true,
    footnote,
    headerEnd,
    autoFocus = false,
    className,
  } = props;
  const { strings } = useText();
  const { conversation } = useSession();
  const storage = useCell(conversation.storageState);
  const isEmpty = useMessageIds().length === 0;
  const [follow] = useState(() => new FollowEnd());
  const composer = useRef<ComposerHandle>(null);
  const picker = useRef<ModelPickerHandle>(null);
  useFirstModel();

  const parts = useMemo<ChatParts>(
    () => ({
      openModelPicker: modelPicker ? () => picker.current?.open() : null,
      followEnd: () => follow.toEnd(),
      focusComposer: () => composer.current?.focus(),
    }),
    [modelPicker, follow],
  );
  useEffect(() => {
    const free = document.activeElement === null || document.activeElement === document.body;
    if (autoFocus && free && window.matchMedia('(pointer: fine)').matches) composer.current?.focus();
  }, [autoFocus]);

  return (
    <section
      className={className === undefined ? 'zg' : `zg ${className}`}
      data-zg-scheme={props.scheme ?? 'auto'}
      data-zg-layout={props.layout ?? 'inline'}
      data-empty={isEmpty ? '' : undefined}
      aria-label={strings.chat}
    >
      <Announcer>
        <TurnAnnouncements />
        <ChatPartsContext.Provider value={parts}>
          {modelPicker || startOver || headerEnd !== undefined ? (
            <div className="zg-header">
              {modelPicker ? <ModelPicker handle={picker} /> : null}
              <div className="zg-header-end">
                {startOver ? <StartOver /> : null}
                {headerEnd}
              </div>
            </div>
          ) : null}
          {storage === 'failed' ? (
            <p className="zg-notice" role="status">
              {strings.conversationUnreadable}
            </p>
          ) : null}
          <Transcript
            follow={follow}
            empty={
              storage === 'loading' ? (
                <HistoryLoading />
              ) : (
                <EmptyState greeting={greeting} starters={starters} />
              )
            }
          />
          <div className="zg-column zg-bottom">
            <Composer handle={composer} />
            {footnote === undefined ? null : <div className="zg-footnote">{footnote}</div>}
          </div>
        </ChatPartsContext.Provider>
      </Announcer>
    </section>
  );
}

function TurnAnnouncements(): null {
  useTurnAnnouncements();
  return null;
}
