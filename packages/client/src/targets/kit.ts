import {
  errorCodeForStatus,
  errorKinds,
  HEARTBEAT_INTERVAL_MS,
  isProblem,
  type ModelInfo,
  NDJSON_CONTENT_TYPE,
  ProtocolError,
  type ServerStatus,
  SSE_CONTENT_TYPE,
} from '@ziggie/llm-protocol';
import { encodeOllamaChat, encodeOllamaGenerate } from '@ziggie/llm-protocol/ollama';
import { KitDecoder } from './kit-decoder.ts';
import type { ReportedFailure, Target } from './target.ts';

/** The native routes of the server kit. */
export const kitTarget: Target = {
  name: 'kit',
  statusPath: '/status',
  accept: NDJSON_CONTENT_TYPE,
  takesOwnHeaders: true,
  headersWithinMs: HEARTBEAT_INTERVAL_MS,
  baseUrl: (given) => given,
  chat: (request) => ({ path: '/chat', body: encodeOllamaChat(request, true) }),
  generate: (request) => ({ path: '/generate', body: encodeOllamaGenerate(request, true) }),
  decoder: () => new KitDecoder(),
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

/** The same routes, with the streams as server-sent events. */
export const kitSseTarget: Target = { ...kitTarget, accept: SSE_CONTENT_TYPE };

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
