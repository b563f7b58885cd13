import type { ToolDefinition } from '@ziggie/llm-protocol';
import type { Tool } from './types.ts';

/** The tools by their names. @throws {TypeError} for what `defineTool` did not make, and for a name that comes twice. */
export function byName(tools: readonly Tool[]): ReadonlyMap<string, Tool> {
  if (!Array.isArray(tools)) throw new TypeError('Reading the request: "tools" is not a list of tools.');
  const map = new Map<string, Tool>();
  for (const tool of tools as readonly Tool[]) {
    if (typeof tool?.execute !== 'function' || typeof tool.jsonSchema !== 'object') {
      throw new TypeError('Reading the request: "tools" holds what defineTool() did not make.');
    }
    if (map.has(tool.name)) throw new TypeError(`Reading the request: two tools are named "${tool.name}".`);
    map.set(tool.name, tool);
  }
  return map;
}

/** What the model gets to see of a tool. */
export function definitionOf({ name, description, jsonSchema }: Tool): ToolDefinition {
  return { name, description, parameters: jsonSchema };
}
