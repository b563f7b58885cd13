import { type ReactElement, useEffect, useMemo, useRef, useState } from 'react';
import { Announcer } from '../announce/announcer.tsx';
import { useTurnAnnouncements } from '../announce/use-turn-announcements.ts';
import { Composer, type ComposerHandle } from '../composer/composer.tsx';
import { ComposerContext } from '../composer/composer-context.ts';
import { useCell } from '../hooks/use-cell.ts';
import { useLatest } from '../hooks/use-latest.ts';
import { useMessageIds } from '../hooks/use-messages.ts';
import { createCell } from '../hooks/value-cell.ts';
import { EmptyState } from '../messages/empty-state.tsx';
import { ModelPicker, type ModelPickerHandle } from '../model-picker/model-picker.tsx';
import { useSession } from '../provider/session.ts';
import { QueueTray } from '../queue/queue-tray.tsx';
import { FollowEnd } from '../scroll/follow-end.ts';
import { OfflineBar } from '../status/offline-bar.tsx';
import { useText } from '../text/text-context.ts';
import { type ChatParts, ChatPartsContext, type UndoOffer } from './chat-parts.ts';
import { HistoryLoading } from './history-loading.tsx';
import { SidebarButton } from './sidebar-button.tsx';
import { SidebarFrame } from './sidebar-frame.tsx';
import { StartOver } from './start-over.tsx';
import { Transcript } from './transcript.tsx';
import { UndoBar } from './undo-bar.tsx';
import { useFileDrop } from './use-file-drop.ts';
import { useFirstModel } from './use-first-model.ts';
import { useSidebar } from './use-sidebar.ts';
import type { ZiggieChatProps } from './ziggie-chat-props.ts';

/** The chat inside a session: header, transcript, composer and live regions in one root. */
export function ChatFrame(props: ZiggieChatProps): ReactElement {
  const {
    greeting,
    starters,
    modelPicker = true,
    footnote,
    headerEnd,
    autoFocus = false,
    attachments = false,
    whenBusy = 'queue',
    feedback = true,
    className,
  } = props;
  const { strings } = useText();
  const { conversation, history } = useSession();
  const hasList = props.layout === 'page' && history !== null;
  const { startOver = !hasList } = props;
  const sidebar = useSidebar(hasList);
  const storage = useCell(conversation.storageState);
  const isEmpty = useMessageIds().length === 0;
  const [follow] = useState(() => new FollowEnd());
  const composer = useRef<ComposerHandle>(null);
  const picker = useRef<ModelPickerHandle>(null);
  useFirstModel();

  const onFeedback = useLatest(props.onFeedback);
  const [cells] = useState(() => ({
    editing: createCell<string | null>(null),
    undo: createCell<UndoOffer | null>(null),
  }));
  const parts = useMemo<ChatParts>(
    () => ({
      ...cells,
      openModelPicker: modelPicker ? () => picker.current?.open() : null,
      followEnd: () => follow.toEnd(),
      focusComposer: () => composer.current?.focus(),
      feedback,
      onFeedback: (message) => onFeedback.current?.(message),
    }),
    [modelPicker, follow, cells, feedback, onFeedback],
  );
  const rules = attachments === true ? noRules : attachments || null;
  const composerOptions = useMemo(() => ({ attachments: rules, whenBusy }), [rules, whenBusy]);
  const drop = useFileDrop(rules);
  useEffect(() => {
    const free = document.activeElement === null || document.activeElement === document.body;
    if (autoFocus && free && window.matchMedia('(pointer: fine)').matches) composer.current?.focus();
  }, [autoFocus]);

  const chat = (
    <>
      {modelPicker || startOver || hasList || headerEnd !== undefined ? (
        <div className="zg-header">
          {hasList ? <SidebarButton sidebar={sidebar} /> : null}
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
        key={conversation.id}
        follow={follow}
        empty={
          storage === 'loading' ? <HistoryLoading /> : <EmptyState greeting={greeting} starters={starters} />
        }
      />
      <div className="zg-column zg-bottom">
        <OfflineBar />
        <UndoBar offer={cells.undo} onClose={parts.focusComposer} />
        <QueueTray />
        <Composer handle={composer} />
        {footnote === undefined ? null : <div className="zg-footnote">{footnote}</div>}
      </div>
      {drop.isOver ? <div className="zg-drop">{strings.attachDrop}</div> : null}
    </>
  );
  return (
    <section
      ref={sidebar.root}
      className={className === undefined ? 'zg' : `zg ${className}`}
      data-zg-scheme={props.scheme ?? 'auto'}
      data-zg-layout={hasList ? 'page' : 'inline'}
      data-empty={isEmpty ? '' : undefined}
      aria-label={strings.chat}
      onKeyDown={(event) => {
        const isComposing = event.nativeEvent.isComposing || event.keyCode === 229;
        if (event.key !== 'Escape' || event.defaultPrevented || isComposing) return;
        if (conversation.runningId.get() !== null) conversation.stop();
      }}
      {...drop.handlers}
    >
      <Announcer>
        <TurnAnnouncements />
        <ChatPartsContext.Provider value={parts}>
          <ComposerContext.Provider value={composerOptions}>
            {hasList ? (
              <SidebarFrame sidebar={sidebar} footer={props.sidebarFooter}>
                {chat}
              </SidebarFrame>
            ) : (
              chat
            )}
          </ComposerContext.Provider>
        </ChatPartsContext.Provider>
      </Announcer>
    </section>
  );
}

const noRules = {};

function TurnAnnouncements(): null {
  useTurnAnnouncements();
  return null;
}
