import type { AnyTemplate } from '@ziggie/llm-client/templates';
import { createContext, useContext } from 'react';
import type { AttachmentRules } from '../attachments/attachment-rules.ts';
import type { SlashCommand } from '../commands/slash-command.ts';
import type { VoiceAdapter } from '../voice/voice-adapter.ts';

/** What the host app allows in the composer. */
export interface ComposerOptions {
  /** `null`: no files. */
  readonly attachments: AttachmentRules | null;
  /** What sending does while an answer is written. */
  readonly whenBusy: 'queue' | 'interrupt';
  /** Commands of the host app; `null`: a slash is a slash. */
  readonly commands: readonly SlashCommand[] | null;
  readonly templates: readonly AnyTemplate[];
  /** `null`: no microphone. */
  readonly voice: VoiceAdapter | null;
  /** Language of what is spoken. */
  readonly locale: string | undefined;
}

export const ComposerContext = createContext<ComposerOptions>({
  attachments: null,
  whenBusy: 'queue',
  commands: null,
  templates: [],
  voice: null,
  locale: undefined,
});

export function useComposerOptions(): ComposerOptions {
  return useContext(ComposerContext);
}
