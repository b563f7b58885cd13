import { SSE_CONTENT_TYPE } from '@ziggie/llm-protocol';
import { loadedOnce } from './loaded-once.ts';
import type { Target } from './target.ts';

/** An OpenAI-compatible server: vLLM, llama.cpp, LM Studio, a cloud, Ollama's `/v1`. */
export const openAiTarget: Target = {
  name: 'openai',
  accept: SSE_CONTENT_TYPE,
  // Their CORS lists differ, and an unknown header may cost the whole request.
  takesOwnHeaders: true,
  baseUrl: (given) => (/\/v\d+[a-z]*\d*(?:\/|$)/.test(given) ? given : `${given}/v1`),
  ...loadedOnce(() => import('./openai-dialect.ts')),
};
