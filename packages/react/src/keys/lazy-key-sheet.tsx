import { lazyPart } from '../parts/lazy-part.tsx';
import type { KeySheetProps } from './key-sheet.tsx';

/** Fetched when it is first asked for. */
export const LazyKeySheet = lazyPart<KeySheetProps>(() =>
  import('./key-sheet.tsx').then(({ KeySheet }) => KeySheet),
);
