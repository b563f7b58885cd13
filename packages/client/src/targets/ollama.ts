import { NDJSON_CONTENT_TYPE } from '@ziggie/llm-protocol';
import { loadedOnce } from './loaded-once.ts';
import type { Target } from './target.ts';

/** Ollama itself, without a kit in front. */
export const ollamaTarget: Target = {
  name: 'ollama',
  accept: NDJSON_CONTENT_TYPE,
  // Its CORS list refuses others, and then a browser sends nothing at all.
  takesOwnHeaders: false,
  baseUrl: (given) => given,
  ...loadedOnce(() => import('./ollama-dialect.ts')),
};
