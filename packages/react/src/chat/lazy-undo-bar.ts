import { lazyPart } from '../parts/lazy-part.tsx';
import type { UndoBarProps } from './undo-bar.tsx';

/** Offers to bring back what was deleted, see `UndoBar`. */
export const LazyUndoBar = lazyPart<UndoBarProps>(() =>
  import('./undo-bar.tsx').then(({ UndoBar }) => UndoBar),
);
