/**
 * Which models are good for what, the best first: chat balances quality and speed, code is written by models made for it,
 * quick is for search and short questions, quality for what matters.
 */
export const recommendedModels = {
  chat: ['mistral:latest', 'llama3.2:latest'],
  code: ['codellama:7b', 'qwen2.5-coder:7b'],
  quick: ['llama3.2:latest'],
  quality: ['llama3.1:8b'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
