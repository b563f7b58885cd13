export { mermaidPlugin } from './plugins/mermaid/mermaid-plugin.ts';
export type { DiagramPlugin } from './plugins/plugin-types.ts';
