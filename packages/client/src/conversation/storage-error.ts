/** Why a storage could not do its work. */
export type ConversationStorageErrorCode =
  /** The record is not one of ours, or was damaged. */
  | 'corrupt_record'
  /** The record was written by a newer version of this library. */
  | 'newer_record'
  /** There is no room left. */
  | 'storage_full'
  /** There is no storage here, or the browser forbids it. */
  | 'storage_unavailable';

/** A storage could not read or write a conversation. Its message never holds what was said in it. */
export class ConversationStorageError extends Error {
  override readonly name = 'ConversationStorageError';
  readonly code: ConversationStorageErrorCode;

  constructor(code: ConversationStorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
