import {
  errorCodeForStatus,
  errorKinds,
  isProblem,
  type ModelInfo,
  ProtocolError,
  type ServerStatus,
} from '@ziggie/llm-protocol';
import { encodeOllamaGenerate } from '@ziggie/llm-protocol/ollama';
import { kitChat } from './kit-chat.ts';
import type { Dialect, ReportedFailure } from './target.ts';

/** The native routes of the server kit: what a chat does not begin with. */
export const dialect: Dialect = {
  ...kitChat,
  generate: (request) => ({ path: '/generate', body: encodeOllamaGenerate(request, true) }),
  statusPath: '/status',
  readFailure,

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

function readFailure(status: number, body: string): ReportedFailure {
  let problem: unknown;
  try {
    problem = JSON.parse(body);
  } catch {
    // A page of a proxy in front, or nothing.
  }
  if (isProblem(problem)) {
    const { code, detail, retryable, requestId, retryAfterMs } = problem;
    return {
      code,
      text: detail,
      retryable: typeof retryable === 'boolean' ? retryable : errorKinds[code].retryable,
      requestId: typeof requestId === 'string' ? requestId : undefined,
      retryAfterMs: typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? retryAfterMs : undefined,
      problem,
    };
  }
  const code = errorCodeForStatus(status);
  return { code, text: undefined, retryable: errorKinds[code].retryable };
}

function unreadable(what: string): ProtocolError {
  return new ProtocolError('malformed_record', `Reading ${what}: the body is not what the kit sends.`);
}
