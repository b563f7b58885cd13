import type { TurnTools } from '@ziggie/llm-client/conversation';
import type { Tool } from '@ziggie/llm-client/tools';
import type { ToolApprovals } from './tool-approvals.ts';

/**
 * The host app's tools for a conversation. What runs them is fetched with the first call; the newest list is used, so that
 * new functions on every render are fine.
 */
export function hostTools(
  latest: { readonly current: { readonly tools?: readonly Tool[] | undefined } },
  approvals: ToolApprovals,
): TurnTools {
  let made: { tools: readonly Tool[]; run: TurnTools['run'] } | null = null;
  return {
    get definitions() {
      const { tools = [] } = latest.current;
      return tools.map(({ name, description, jsonSchema }) => ({
        name,
        description,
        parameters: jsonSchema,
      }));
    },
    async run(calls, round) {
      const { tools = [] } = latest.current;
      if (made?.tools !== tools) {
        const { turnTools } = await import('@ziggie/llm-client/tools');
        made = { tools, run: turnTools(tools, { approve: approvals.ask }).run };
      }
      return made.run(calls, round);
    },
  };
}
