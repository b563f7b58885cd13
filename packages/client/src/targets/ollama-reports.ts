import { ProtocolError } from '@ziggie/llm-protocol';
import { decodeOllamaModels } from '@ziggie/llm-protocol/ollama';
import type { Reports } from './target.ts';

export const reports: Reports = {
  statusPath: '/api/version',

  async listModels(get) {
    const tags = await get('/api/tags', (body) => {
      if (!Array.isArray((body as { models?: unknown } | null)?.models))
        throw unreadable('the list of models');
      return body;
    });
    return decodeOllamaModels(tags, await get('/api/ps', (body) => body));
  },

  readStatus(body) {
    const version = (body as { version?: unknown } | null)?.version;
    if (typeof version !== 'string') throw unreadable('the version');
    return { status: 'ok', version };
  },
};

function unreadable(what: string): ProtocolError {
  return new ProtocolError('malformed_record', `Reading ${what}: the body is not what Ollama sends.`);
}
