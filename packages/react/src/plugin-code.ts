export { codePlugin, createCodePlugin } from './plugins/code/code-plugin.ts';
export type { CodeKind, CodePlugin, CodeToken } from './plugins/plugin-types.ts';
