import { createContext, useContext } from 'react';

/** How one part of the chat reaches another. */
export interface ChatParts {
  /** `null` when there is no picker. */
  readonly openModelPicker: (() => void) | null;
  /** Brings the end of the transcript into view and stays there. */
  readonly followEnd: () => void;
  readonly focusComposer: () => void;
}

export const ChatPartsContext = createContext<ChatParts>({
  openModelPicker: null,
  followEnd: () => {},
  focusComposer: () => {},
});

export function useChatParts(): ChatParts {
  return useContext(ChatPartsContext);
}
