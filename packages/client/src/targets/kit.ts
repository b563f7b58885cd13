import { HEARTBEAT_INTERVAL_MS, NDJSON_CONTENT_TYPE, SSE_CONTENT_TYPE } from '@ziggie/llm-protocol';
import { encodeOllamaChat, encodeOllamaGenerate } from '@ziggie/llm-protocol/ollama';
import { part } from '../part.ts';
import { KitDecoder } from './kit-decoder.ts';
import type { Speech, Target } from './target.ts';

const speech: Speech = {
  chat: (request) => ({ path: '/chat', body: encodeOllamaChat(request, true) }),
  generate: (request) => ({ path: '/generate', body: encodeOllamaGenerate(request, true) }),
  decoder: () => new KitDecoder(),
};

/**
 * The native routes of the server kit.
 *
 * @param framing How streams travel.
 */
export const kitTarget = (framing: 'ndjson' | 'sse'): Target => ({
  name: 'kit',
  accept: framing === 'sse' ? SSE_CONTENT_TYPE : NDJSON_CONTENT_TYPE,
  takesOwnHeaders: true,
  headersWithinMs: HEARTBEAT_INTERVAL_MS,
  baseUrl: (given) => given,
  speech: () => speech,
  reports: () => part(() => import('./kit-reports.ts')).then(({ kitReports }) => kitReports),
});
