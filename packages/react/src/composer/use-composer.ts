import type { SendOptions } from '@ziggie/llm-client/conversation';
import { useCallback, useMemo } from 'react';
import { type DraftProblem, findProblems } from '../attachments/find-problems.ts';
import { useCell } from '../hooks/use-cell.ts';
import { useIsRunning } from '../hooks/use-messages.ts';
import { useModels } from '../hooks/use-models.ts';
import { useSession } from '../provider/session.ts';
import { useComposerOptions } from './composer-context.ts';
import type { PendingAttachment } from './composer-store.ts';

/** The draft of the conversation, and what can be done with it. */
export interface ComposerView {
  readonly text: string;
  readonly attachments: readonly PendingAttachment[];
  /** What keeps the files from this model, each with one click that mends it. */
  readonly problems: readonly DraftProblem[];
  /** `queue` while an answer is written: what is sent waits its turn. */
  readonly mode: 'send' | 'queue';
  readonly canSend: boolean;
  /** Whether files are still being read. */
  readonly isReading: boolean;
  readonly setText: (text: string) => void;
  /** Without effect where files are not allowed. */
  readonly addFiles: (files: readonly File[]) => Promise<void>;
  readonly removeAttachments: (ids: readonly string[]) => void;
  readonly mend: (problem: DraftProblem) => void;
  /** Sends or queues the draft; does nothing while `canSend` is `false`. What could not begin comes back. */
  readonly submit: (options?: SendOptions) => void;
}

/** The composer's state for a composer of your own. Renders when the draft, the model or the run's presence changes. */
export function useComposer(): ComposerView {
  const { conversation, composers, usesTools } = useSession();
  const { attachments: rules, whenBusy } = useComposerOptions();
  const store = composers.get(conversation.id);
  const { text, attachments } = useCell(store);
  const hasContent = text.trim() !== '' || attachments.length > 0;
  const running = useIsRunning();
  const { current, models, pick } = useModels();
  const model = models.find(({ name, aliases }) => name === current || aliases.includes(current ?? ''));
  const problems = useMemo(
    () => findProblems(attachments, model, models, { text, tools: usesTools && hasContent }),
    [attachments, model, models, text, usesTools, hasContent],
  );
  const isReading = attachments.some(({ state }) => state === 'reading');
  const hasFile = attachments.some(({ state }) => state === 'ready');
  const canSend = current !== null && !isReading && problems.length === 0 && (text.trim() !== '' || hasFile);
  const submit = useCallback(
    (options?: SendOptions) => {
      if (!canSend) return;
      const draft = store.draft();
      const giveBack = store.take();
      // A turn that fails keeps the words in the transcript; one that could not begin gives them back.
      conversation.send(draft, { whenBusy, ...options }).catch(giveBack);
    },
    [canSend, store, conversation, whenBusy],
  );
  return {
    text,
    attachments,
    problems,
    mode: running ? 'queue' : 'send',
    canSend,
    isReading,
    setText: store.setText,
    addFiles: (files) => (rules === null ? Promise.resolve() : store.addFiles(files, rules)),
    removeAttachments: store.removeAttachments,
    mend: ({ mendBy }) => {
      if (mendBy === null) return;
      if ('model' in mendBy) pick(mendBy.model);
      else store.removeAttachments(mendBy.remove);
    },
    submit,
  };
}
