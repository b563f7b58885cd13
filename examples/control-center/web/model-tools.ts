import { createClient } from '@ziggie/llm-client';
import { createAdmin } from '@ziggie/llm-client/admin';
import { defineTool, type Tool } from '@ziggie/llm-client/tools';

/** For those who manage the models: what the assistant may look at by itself, and what it has to ask for. */
export function modelTools(credentials: () => Promise<string>): readonly Tool[] {
  const admin = createAdmin(createClient({ baseUrl: `${location.origin}/api/llm`, credentials }));
  const ofModel = {
    type: 'object',
    properties: { model: { type: 'string', description: 'Its name, such as llama3.2:3b' } },
    required: ['model'],
  };
  const nameIn = (given: unknown): string => {
    const model = (given as { model?: unknown }).model;
    if (typeof model !== 'string' || model === '') throw new Error('Say which model.');
    return model;
  };
  return [
    defineTool({
      name: 'list_models',
      description: 'Which models are there, on which server, and which are in memory.',
      execute: async (_, { signal }) => (await admin.fleet({ signal })).models,
    }),
    defineTool({
      name: 'free_memory',
      description: 'Takes a model out of the memory of the GPU.',
      jsonSchema: ofModel,
      needsApproval: true,
      execute: async (given, { signal }) => {
        await admin.unload(nameIn(given), { signal });
        return { freed: nameIn(given) };
      },
    }),
    defineTool({
      name: 'delete_model',
      description: 'Deletes a model from the servers.',
      jsonSchema: ofModel,
      needsApproval: true,
      execute: async (given, { signal }) => {
        await admin.delete(nameIn(given), { signal });
        return { deleted: nameIn(given) };
      },
    }),
  ];
}
