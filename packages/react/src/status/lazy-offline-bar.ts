import { lazyPart } from '../parts/lazy-part.tsx';

/** Fetched with the page and not begun with: who has no network when it opens has no use for it yet. */
export const LazyOfflineBar = lazyPart(
  () => import('./offline-bar.tsx').then((module) => module.OfflineBar),
  { early: true },
);
