import { lazyPart } from '../parts/lazy-part.tsx';
import type { ConversationListProps } from './list-panel.tsx';

/**
 * The saved conversations: new, search, rename, pin, archive, delete with undo, export and import. For a place inside of
 * an element of class `zg`, in a provider that opens conversations itself. Its code is fetched when it is first shown.
 */
export const ConversationList = lazyPart<ConversationListProps>(() =>
  import('./list-panel.tsx').then(({ ListPanel }) => ListPanel),
);
