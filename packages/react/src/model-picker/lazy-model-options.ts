import { lazyPart } from '../parts/lazy-part.tsx';
import type { ModelOptionsProps } from './model-options.tsx';

/** The list of the picker, see `ModelOptions`. */
export const LazyModelOptions = lazyPart<ModelOptionsProps>(
  () => import('./model-options.tsx').then(({ ModelOptions }) => ModelOptions),
  { early: true },
);
