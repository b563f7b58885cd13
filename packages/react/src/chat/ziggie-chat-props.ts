import type { MessageNode } from '@ziggie/llm-client/conversation';
import type { AnyTemplate } from '@ziggie/llm-client/templates';
import type { ReactNode } from 'react';
import type { AttachmentRules } from '../attachments/attachment-rules.ts';
import type { SlashCommand } from '../commands/slash-command.ts';
import type { Hotkeys } from '../keys/key-map.ts';
import type { Starter } from '../messages/empty-state.tsx';
import type { ConnectionProps } from '../provider/provider-props.ts';
import type { VoiceAdapter } from '../voice/voice-adapter.ts';

/** Props of `ZiggieChat`. Connection props are needed only outside a `ZiggieProvider`. */
export interface ZiggieChatProps extends ConnectionProps {
  /** Names whose browser storage holds the conversation, when the chat stands alone without `storage`. Give the id of the
   * signed-in user, so that two users of one browser do not see each other's words. Default `anonymous`. */
  userId?: string | undefined;
  /**
   * Both fill their container: give that a height. `page` has the list of conversations beside the chat, as a drawer where
   * there is no room for it; it needs a chat that opens conversations itself, so without `conversation`. Default `inline`.
   */
  layout?: 'inline' | 'page' | undefined;
  /** Under the list of conversations. */
  sidebarFooter?: ReactNode | undefined;
  /** `auto` follows the system. Default `auto`. */
  scheme?: 'light' | 'dark' | 'auto' | undefined;
  /** The question above an empty conversation. */
  greeting?: ReactNode | undefined;
  /** First messages that a click sends, shown while the conversation is empty; a template asks for its values first. */
  starters?: readonly Starter[] | undefined;
  /** Behind `/` in the composer, made with `defineTemplate`; `builtInTemplates` are a good start. Keep the list between
   * renders. */
  templates?: readonly AnyTemplate[] | undefined;
  /** Commands of your own behind `/`, beside ours; `false` for none at all, so that a slash is a slash. Keep the list
   * between renders. Default `true`: ours. */
  commands?: boolean | readonly SlashCommand[] | undefined;
  /** A microphone in the composer: `createWebSpeech()`, or an adapter of your own. Keep the object between renders.
   * Default: none. */
  voice?: VoiceAdapter | undefined;
  /** Other keys than `defaultHotkeys`, `null` for none; `false` takes all of them away. Default `{}`. */
  hotkeys?: Hotkeys | false | undefined;
  /** Whether the model can be picked. Default `true`. */
  modelPicker?: boolean | undefined;
  /** Whether the picker pulls models, loads them and frees their memory: for those who may. A server that refuses ends it.
   * Default `false`. */
  manageModels?: boolean | undefined;
  /** Whether the conversation can be emptied from the header; asks before it does. Default `true`, `false` beside a
   * list of conversations. */
  startOver?: boolean | undefined;
  /** Whether files may go along, picked, pasted or dropped; `true` or rules. Keep the object between renders. Default
   * `false`. */
  attachments?: boolean | AttachmentRules | undefined;
  /** What sending does while an answer is written: it waits its turn, or stops the answer. Default `queue`. */
  whenBusy?: 'queue' | 'interrupt' | undefined;
  /** Whether answers can be judged. Default `true`. */
  feedback?: boolean | undefined;
  /** Told of every judgement; `message.feedback` is absent when one was taken back. */
  onFeedback?: ((message: MessageNode) => void) | undefined;
  /** A quiet line under the composer. */
  footnote?: ReactNode | undefined;
  /** Shown at the end of the header, beside the model picker. */
  headerEnd?: ReactNode | undefined;
  /** Focuses the composer once, only with a mouse-like pointer and when nothing else has the focus. Default `false`. */
  autoFocus?: boolean | undefined;
  /** Added to the root's classes. */
  className?: string | undefined;
}
