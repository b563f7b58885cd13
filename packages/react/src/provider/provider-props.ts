import type { ClientTransport, Credentials, ZiggieClient } from '@ziggie/llm-client';
import type {
  Connection,
  ContextPort,
  Conversation,
  ConversationStorage,
} from '@ziggie/llm-client/conversation';
import type { Tool } from '@ziggie/llm-client/tools';
import type { ModelOptions, Think } from '@ziggie/llm-protocol';
import type { ReactNode } from 'react';
import type { DraftStorage } from '../composer/draft-storage.ts';
import type { RichTextOptions } from '../plugins/rich-text-context.tsx';
import type { Strings } from '../text/strings.ts';
import type { ToolApprovals } from '../tools/tool-approvals.ts';
import type { ToolViews } from '../tools/tool-views.ts';

/** Where answers come from and which conversation is shown. Shared by the provider and a chat that stands alone. */
export interface ConnectionProps extends RichTextOptions {
  /** A client made with `createClient`. Give this or `endpoint`. */
  client?: ZiggieClient | undefined;
  /** Where the server kit is mounted, such as `/api/llm`. A change opens a new conversation. */
  endpoint?: string | undefined;
  /** A token, or a function that gets one; used with `endpoint`. A new function on every render is fine: the latest is
   * called. Never stored. */
  credentials?: Credentials | undefined;
  /** What answers come over, such as `webSocketTransport()` of `@ziggie/llm-client/websocket`; used with `endpoint`. Keep the
   * object between renders. Default: HTTP. */
  transport?: ClientTransport | undefined;
  /** A conversation made with `createConversation`. It then belongs to the caller: it goes on when the component leaves
   * the page, and `client`, `endpoint`, `conversationId` and `storage` are not looked at. */
  conversation?: Conversation | undefined;
  /** Name under which the conversation is saved. Default `default`. A change opens that conversation. */
  conversationId?: string | undefined;
  /** Where it is saved. Default: memory in the provider; `localStorage`, under the user's id, in a `ZiggieChat` that
   * stands alone. Keep the object between renders. */
  storage?: ConversationStorage | undefined;
  /** The model to begin with. Default: the saved one, else one that is in memory already, else the first that can chat. */
  model?: string | undefined;
  /** Put in front of every request. Read when the conversation opens. */
  system?: string | undefined;
  /** Whether thinking models think. Read when the conversation opens. */
  think?: Think | undefined;
  /** Sampling and size options by Ollama's names. Read when the conversation opens. */
  options?: ModelOptions | undefined;
  /** Tools that run in the page, made with `defineTool`. Those that need approval ask the reader first. With a `conversation`
   * of your own: its `turnTools` and `approvals`. */
  tools?: readonly Tool[] | undefined;
  /** How calls of tools look, by the tools' names. */
  toolViews?: ToolViews | undefined;
  /** Made with `createToolApprovals`, for a `conversation` of your own. */
  approvals?: ToolApprovals | undefined;
  /** Cuts what does not fit the model's window, made with `createContextWindow`. Read when a conversation opens. */
  context?: ContextPort | undefined;
  /** Where words that were not sent yet are kept. Default: memory in the provider; the browser, under the user's id, in a
   * `ZiggieChat` that stands alone without `storage`. */
  drafts?: DraftStorage | undefined;
  /** Tells whether there is a network. Default: the browser's word. */
  connection?: Connection | undefined;
  /** Told when the reader goes to another conversation, so that the page's address can follow. */
  onConversationChange?: ((conversationId: string) => void) | undefined;
  /** Called when the reader asks to sign in again after a 401. The turn is tried again once it resolves. Default: only the
   * retry, which asks `credentials` for a new token. */
  onUnauthorized?: (() => void | Promise<void>) | undefined;
  /** Words of your own in place of the English ones; anything left out stays. */
  strings?: Partial<Strings> | undefined;
  /** BCP 47 language for numbers and durations, such as `de-CH`. Default: the browser's. */
  locale?: string | undefined;
}

/** Props of `ZiggieProvider`. */
export interface ZiggieProviderProps extends ConnectionProps {
  children?: ReactNode | undefined;
}
