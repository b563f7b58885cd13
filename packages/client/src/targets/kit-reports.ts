import { type ModelInfo, ProtocolError, type ServerStatus } from '@ziggie/llm-protocol';
import type { Reports } from './target.ts';

export const reports: Reports = {
  statusPath: '/status',

  listModels: (get) =>
    get('/models', (body) => {
      const models = (body as { models?: unknown } | null)?.models;
      if (!Array.isArray(models)) throw unreadable('the list of models');
      return models.filter((one): one is ModelInfo => typeof (one as ModelInfo | null)?.name === 'string');
    }),

  readStatus(body) {
    const { status, version } = (body ?? {}) as Partial<ServerStatus>;
    if (status !== 'ok' && status !== 'degraded' && status !== 'down') throw unreadable('the status');
    return { status, version: typeof version === 'string' ? version : '' };
  },
};

function unreadable(what: string): ProtocolError {
  return new ProtocolError('malformed_record', `Reading ${what}: the body is not what the kit sends.`);
}
