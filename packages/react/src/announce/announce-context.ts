import { createContext, useContext } from 'react';

/** Says a short text to screen readers; `assertive` interrupts and is for failures only. */
export type Announce = (text: string, options?: { assertive?: boolean | undefined }) => void;

export const AnnounceContext = createContext<Announce>(() => {});

/** Says short texts through the chat's one live region; silent outside of a `ZiggieChat`. */
export function useAnnounce(): Announce {
  return useContext(AnnounceContext);
}
