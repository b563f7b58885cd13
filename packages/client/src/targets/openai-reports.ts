import { ProtocolError } from '@ziggie/llm-protocol';
import { decodeOpenAiModels } from '@ziggie/llm-protocol/openai';
import type { Reports } from './target.ts';

export const reports: Reports = {
  // They have no status in common; a list of models is an answer.
  statusPath: '/models',
  listModels: (get) => get('/models', (body) => decodeOpenAiModels(listOf(body))),

  readStatus(body) {
    listOf(body);
    return { status: 'ok', version: '' };
  },
};

function listOf(body: unknown): unknown {
  const data = (body as { data?: unknown } | null)?.data;
  if (data !== null && !Array.isArray(data)) {
    throw new ProtocolError(
      'malformed_record',
      'Reading the list of models: the body is not what OpenAI-compatible servers send. Is baseUrl right?',
    );
  }
  return body;
}
