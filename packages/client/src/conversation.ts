export { platformConnection } from './conversation/connection.ts';
export {
  type ContextWindowOptions,
  createContextWindow,
  estimateTokens,
  type SummaryRequest,
} from './conversation/context/context-window.ts';
export { summarizeWith } from './conversation/context/summarize-with.ts';
export { createConversation } from './conversation/create-conversation.ts';
export {
  ConversationStorageError,
  type ConversationStorageErrorCode,
} from './conversation/storage-error.ts';
export type {
  Attachment,
  Cell,
  Connection,
  ContextCut,
  ContextPort,
  ContextReport,
  ContextRequest,
  Conversation,
  ConversationOptions,
  ConversationQueue,
  ConversationRecord,
  ConversationState,
  ConversationStorage,
  Draft,
  Feedback,
  FittedContext,
  MessageNode,
  QueuedTurn,
  QueuePause,
  RunPhase,
  RunState,
  SendOptions,
  Source,
  ToolOutcome,
  ToolRound,
  ToolState,
  ToolUse,
  TurnEnd,
  TurnFailure,
  TurnTools,
} from './conversation/types.ts';
