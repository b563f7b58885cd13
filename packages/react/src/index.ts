export { type Announce, useAnnounce } from './announce/announce-context.ts';
export type { AttachmentRules } from './attachments/attachment-rules.ts';
export type { DraftProblem } from './attachments/find-problems.ts';
export { ZiggieChat } from './chat/ziggie-chat.tsx';
export type { ZiggieChatProps } from './chat/ziggie-chat-props.ts';
export type { CommandContext, SlashCommand } from './commands/slash-command.ts';
export { Composer } from './composer/composer.tsx';
export type { PendingAttachment } from './composer/composer-store.ts';
export { createBrowserDrafts, type DraftStorage } from './composer/draft-storage.ts';
export { type ComposerView, useComposer } from './composer/use-composer.ts';
export { StructuredData, type StructuredDataProps } from './data/lazy-structured-data.tsx';
export { ErrorCard } from './errors/error-card.tsx';
export { ConversationList } from './history/conversation-list.tsx';
export type { ImportReport } from './history/history-source.ts';
export type { ConversationListProps } from './history/list-panel.tsx';
export { type ConversationsView, useConversations } from './history/use-conversations.ts';
export { type BranchView, useBranches } from './hooks/use-branches.ts';
export { type ChatActions, useChat } from './hooks/use-chat.ts';
export { type ConnectionView, useConnection } from './hooks/use-connection.ts';
export { useIsRunning, useMessage, useMessageIds, useRun } from './hooks/use-messages.ts';
export { type ModelsView, useModels } from './hooks/use-models.ts';
export { type QueueView, useQueue } from './hooks/use-queue.ts';
export { defaultHotkeys, type HotkeyName, type Hotkeys } from './keys/key-map.ts';
export { Markdown, type MarkdownProps } from './markdown/markdown.tsx';
export { StreamingText, type StreamingTextProps } from './markdown/streaming-text.tsx';
export type { Starter } from './messages/empty-state.tsx';
export { MessageRow } from './messages/message-row.tsx';
export { ModelPicker, type ModelPickerProps } from './model-picker/model-picker.tsx';
export type { ObjectState } from './object/object-cell.ts';
export { type ObjectView, type UseObjectOptions, useObject } from './object/use-object.ts';
export type {
  CodeKind,
  CodePlugin,
  CodeToken,
  DiagramPlugin,
  MathPlugin,
  RichTextPlugins,
} from './plugins/plugin-types.ts';
export { type RichTextOptions, RichTextProvider } from './plugins/rich-text-context.tsx';
export type { ConnectionProps, ZiggieProviderProps } from './provider/provider-props.ts';
export { ZiggieProvider } from './provider/ziggie-provider.tsx';
export { QueueTray } from './queue/queue-tray.tsx';
export { StatusLine } from './status/status-line.tsx';
export { defaultStrings, type Strings } from './text/strings.ts';
export { createToolApprovals, type ToolApprovals } from './tools/tool-approvals.ts';
export { ToolCard } from './tools/tool-card.tsx';
export type { ToolView, ToolViews } from './tools/tool-views.ts';
export type { VoiceAdapter, VoiceListener } from './voice/voice-adapter.ts';
export { createWebSpeech } from './voice/web-speech.ts';
