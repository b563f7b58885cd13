import { createContext, useContext } from 'react';
import type { AttachmentRules } from '../attachments/attachment-rules.ts';

/** What the host app allows in the composer. */
export interface ComposerOptions {
  /** `null`: no files. */
  readonly attachments: AttachmentRules | null;
  /** What sending does while an answer is written. */
  readonly whenBusy: 'queue' | 'interrupt';
}

export const ComposerContext = createContext<ComposerOptions>({ attachments: null, whenBusy: 'queue' });

export function useComposerOptions(): ComposerOptions {
  return useContext(ComposerContext);
}
