import type { ComponentProps } from 'react';
import { lazyPart } from '../parts/lazy-part.tsx';
import type { EditMessage } from './edit-message.tsx';
import type { FeedbackNote } from './feedback-note.tsx';

/** Parts of a message that a reader asks for. */
export const LazyEditMessage = lazyPart<ComponentProps<typeof EditMessage>>(
  () => import('./edit-message.tsx').then((module) => module.EditMessage),
  { early: true },
);

export const LazyFeedbackNote = lazyPart<ComponentProps<typeof FeedbackNote>>(() =>
  import('./feedback-note.tsx').then((module) => module.FeedbackNote),
);
