import type { ComponentType } from 'react';
import type { Ending } from '../markdown/ending.ts';
import type { LazyPlugin } from './lazy-plugin.ts';
import type { MathPlugin } from './plugin-types.ts';

/** Finds the formulas of a growing text and shows them; see `math/math-finder.ts`, which is fetched. */
export interface MathFinder {
  MathRewriter: new () => {
    update(text: string, ending: Ending): { decided: string; shownRest: string };
  };
  MathView: ComponentType<{ plugin: LazyPlugin<MathPlugin> | null; tex: string; display: boolean }>;
}
