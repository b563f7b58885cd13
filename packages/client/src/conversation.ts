export { createConversation } from './conversation/create-conversation.ts';
export {
  ConversationStorageError,
  type ConversationStorageErrorCode,
} from './conversation/storage-error.ts';
export type {
  Cell,
  Conversation,
  ConversationOptions,
  ConversationRecord,
  ConversationState,
  ConversationStorage,
  MessageNode,
  RunPhase,
  TurnEnd,
  TurnFailure,
} from './conversation/types.ts';
