import { type ReactElement, useEffect, useMemo, useRef, useState } from 'react';
import { Announcer } from '../announce/announcer.tsx';
import { useTurnAnnouncements } from '../announce/use-turn-announcements.ts';
import type { AskedTemplate } from '../commands/template-form.tsx';
import { Composer, type ComposerHandle } from '../composer/composer.tsx';
import { ComposerContext } from '../composer/composer-context.ts';
import { useCell } from '../hooks/use-cell.ts';
import { useRowIds } from '../hooks/use-later.ts';
import { useLatest } from '../hooks/use-latest.ts';
import { createCell } from '../hooks/value-cell.ts';
import { LazyKeySheet } from '../keys/lazy-key-sheet.tsx';
import { focusMessage, pressInMessage } from '../keys/move-between-messages.ts';
import { useHotkeys } from '../keys/use-hotkeys.ts';
import { EmptyState } from '../messages/empty-state.tsx';
import { ModelPicker, type ModelPickerHandle } from '../model-picker/model-picker.tsx';
import { useEarlyWork } from '../parts/early-work.ts';
import { useSession } from '../provider/session.ts';
import { QueueTray } from '../queue/queue-tray.tsx';
import { FollowEnd } from '../scroll/follow-end.ts';
import { LazyOfflineBar } from '../status/lazy-offline-bar.ts';
import { useText } from '../text/text-context.ts';
import { type ChatParts, ChatPartsContext, type UndoOffer } from './chat-parts.ts';
import { HistoryLoading, useNoticed } from './history-loading.tsx';
import { LazyUndoBar } from './lazy-undo-bar.ts';
import { SidebarButton } from './sidebar-button.tsx';
import { SidebarFrame } from './sidebar-frame.tsx';
import { StartOver } from './start-over.tsx';
import { Transcript } from './transcript.tsx';
import { useCentred } from './use-centred.ts';
import { useFileDrop } from './use-file-drop.ts';
import { useFirstModel } from './use-first-model.ts';
import { useKeyboardInset } from './use-keyboard-inset.ts';
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
    commands = true,
    templates = noTemplates,
    hotkeys = noRules,
    voice = null,
    locale,
    className,
  } = props;
  const { strings } = useText();
  const { conversation, open } = useSession();
  const hasList = props.layout === 'page' && open !== null;
  const { startOver = !hasList } = props;
  const sidebar = useSidebar(hasList);
  useKeyboardInset(sidebar.root);
  const storage = useCell(conversation.storageState);
  const isEmpty = useRowIds().length === 0;
  // What is read stands where it will stand: nothing moves when it is here.
  const isLoading = useNoticed(storage === 'loading');
  useCentred(sidebar.root, isEmpty && storage !== 'loading');
  const [follow] = useState(() => new FollowEnd());
  const composer = useRef<ComposerHandle>(null);
  const picker = useRef<ModelPickerHandle>(null);
  useFirstModel();
  useEarlyWork();

  const onFeedback = useLatest(props.onFeedback);
  const [cells] = useState(() => ({
    editing: createCell<string | null>(null),
    undo: createCell<UndoOffer | null>(null),
    template: createCell<AskedTemplate | null>(null),
  }));
  const [isSheetOpen, setIsSheetOpen] = useState(false);
  const hasKeys = hotkeys !== false;
  const parts = useMemo<ChatParts>(
    () => ({
      ...cells,
      openModelPicker: modelPicker ? () => picker.current?.open() : null,
      followEnd: () => follow.toEnd(),
      focusComposer: () => composer.current?.focus(),
      openKeys: hasKeys ? () => setIsSheetOpen(true) : null,
      feedback,
      onFeedback: (message) => onFeedback.current?.(message),
    }),
    [modelPicker, follow, cells, feedback, onFeedback, hasKeys],
  );
  const rules = attachments === true ? noRules : attachments || null;
  const ownCommands = commands === true ? noTemplates : commands || null;
  const composerOptions = useMemo(
    () => ({ attachments: rules, whenBusy, commands: ownCommands, templates, voice, locale }),
    [rules, whenBusy, ownCommands, templates, voice, locale],
  );
  const drop = useFileDrop(rules);
  useEffect(() => {
    const free = document.activeElement === null || document.activeElement === document.body;
    if (autoFocus && free && window.matchMedia('(pointer: fine)').matches) composer.current?.focus();
  }, [autoFocus]);

  const keys = useHotkeys(
    hotkeys || noRules,
    hasKeys
      ? {
          showKeys: parts.openKeys ?? undefined,
          focusComposer: parts.focusComposer,
          newChat: hasList
            ? () => {
                if (!isEmpty) open?.create();
                requestAnimationFrame(parts.focusComposer);
              }
            : undefined,
          searchConversations: hasList ? sidebar.search : undefined,
          toggleConversations: hasList ? sidebar.toggle : undefined,
          pickModel: parts.openModelPicker ?? undefined,
          previousMessage: () => focusMessage(sidebar.root.current, -1),
          nextMessage: () => focusMessage(sidebar.root.current, 1),
          copyAnswer: () => pressInMessage(sidebar.root.current, strings.copyMessage),
          answerAgain: () => pressInMessage(sidebar.root.current, strings.regenerate),
        }
      : noRules,
  );
  const chat = (
    <>
      {modelPicker || startOver || hasList || headerEnd !== undefined ? (
        <div className="zg-header">
          {hasList ? <SidebarButton sidebar={sidebar} /> : null}
          {modelPicker ? <ModelPicker handle={picker} manage={props.manageModels} /> : null}
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
          isLoading ? (
            <HistoryLoading />
          ) : storage === 'loading' ? null : (
            <EmptyState greeting={greeting} starters={starters} />
          )
        }
      />
      <div className="zg-column zg-bottom">
        <LazyOfflineBar />
        <LazyUndoBar offer={cells.undo} onClose={parts.focusComposer} />
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
      data-empty={isEmpty && !isLoading ? '' : undefined}
      aria-label={strings.chat}
      onKeyDown={(event) => {
        keys.onKeyDown(event);
        const isComposing = event.nativeEvent.isComposing || event.keyCode === 229;
        if (event.key !== 'Escape' || event.defaultPrevented || isComposing || event.shiftKey) return;
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
            {isSheetOpen ? <LazyKeySheet keys={keys.keys} onClose={() => setIsSheetOpen(false)} /> : null}
          </ComposerContext.Provider>
        </ChatPartsContext.Provider>
      </Announcer>
    </section>
  );
}

const noRules = {};
const noTemplates: readonly never[] = [];

function TurnAnnouncements(): null {
  useTurnAnnouncements();
  return null;
}
