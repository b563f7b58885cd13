import type { ReactElement } from 'react';
import type { ComposerView } from '../composer/use-composer.ts';
import { lazyPart } from '../parts/lazy-part.tsx';

const LazyDraftFiles = lazyPart<{ composer: ComposerView }>(
  () => import('./draft-files.tsx').then(({ DraftFiles }) => DraftFiles),
  { early: true },
);

/** The files of the draft, and what keeps it from the model. Nothing while there is neither. */
export function AttachmentTray({ composer }: { composer: ComposerView }): ReactElement | null {
  const { attachments, problems } = composer;
  return attachments.length === 0 && problems.length === 0 ? null : <LazyDraftFiles composer={composer} />;
}
