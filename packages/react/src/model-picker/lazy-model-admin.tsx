import { lazyPart } from '../parts/lazy-part.tsx';
import type { ModelAdminProps } from './model-admin.tsx';

/** Fetched when the picker of somebody who manages models is first opened. */
export const LazyModelAdmin = lazyPart<ModelAdminProps>(() =>
  import('./model-admin.tsx').then(({ ModelAdmin }) => ModelAdmin),
);
