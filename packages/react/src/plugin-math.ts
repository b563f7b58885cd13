export { mathPlugin } from './plugins/math/math-plugin.ts';
export type { MathPlugin } from './plugins/plugin-types.ts';
