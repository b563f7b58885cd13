import temml from 'temml';
import type { MathPlugin } from '../plugin-types.ts';
import { toMathMl } from './to-mathml.ts';

/** Longest formula that is read, in characters. */
const MAX_TEX = 8_000;

/**
 * Shows TeX as MathML, which browsers draw by themselves: no fonts, no style sheet, nothing for a Content Security Policy to
 * forbid, and screen readers read it. Needs `temml` installed.
 */
export const mathPlugin: MathPlugin = {
  render(tex, display) {
    if (tex.length > MAX_TEX) return null;
    try {
      return toMathMl(
        temml.__renderToMathMLTree(tex, {
          displayMode: display,
          throwOnError: true,
          trust: false,
          // A page's worth of macro expansion and 20 em: more is no formula of an answer.
          maxExpand: 200,
          maxSize: [20, 20],
          macros: {},
        }),
      );
    } catch {
      return null;
    }
  },
};
