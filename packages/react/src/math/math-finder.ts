/** What only a page with formulas needs: fetched when the page has a plug-in for them. */
export { MathRewriter } from './math-rewriter.ts';
export { MathView } from './math-view.tsx';
