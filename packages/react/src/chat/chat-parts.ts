import type { MessageNode } from '@ziggie/llm-client/conversation';
import { createContext, useContext } from 'react';
import type { AskedTemplate } from '../commands/template-form.tsx';
import { createCell, type WritableCell } from '../hooks/value-cell.ts';

/** Something that can be undone for a while. */
export interface UndoOffer {
  readonly label: string;
  readonly undo: () => void | Promise<void>;
}

/** How one part of the chat reaches another. */
export interface ChatParts {
  /** `null` when there is no picker. */
  readonly openModelPicker: (() => void) | null;
  /** Brings the end of the transcript into view and stays there. */
  readonly followEnd: () => void;
  readonly focusComposer: () => void;
  /** Shows what the keys do; `null` where there are none. */
  readonly openKeys: (() => void) | null;
  /** The template that waits for its values. */
  readonly template: WritableCell<AskedTemplate | null>;
  /** Id of the message of the reader that is being edited. */
  readonly editing: WritableCell<string | null>;
  /** What was deleted last and can come back. */
  readonly undo: WritableCell<UndoOffer | null>;
  /** Whether answers can be judged, and who is told. */
  readonly feedback: boolean;
  readonly onFeedback: ((message: MessageNode) => void) | null;
}

export const ChatPartsContext = createContext<ChatParts>({
  openModelPicker: null,
  followEnd: () => {},
  focusComposer: () => {},
  openKeys: null,
  template: createCell<AskedTemplate | null>(null),
  editing: createCell<string | null>(null),
  undo: createCell<UndoOffer | null>(null),
  feedback: true,
  onFeedback: null,
});

export function useChatParts(): ChatParts {
  return useContext(ChatPartsContext);
}
