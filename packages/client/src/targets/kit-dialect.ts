import { errorCodeForStatus, errorKinds, isProblem } from '@ziggie/llm-protocol';
import { encodeOllamaGenerate } from '@ziggie/llm-protocol/ollama';
import { kitChat } from './kit-chat.ts';
import type { Dialect, ReportedFailure } from './target.ts';

/** The native routes of the server kit: what a chat does not begin with. */
export const dialect: Dialect = {
  ...kitChat,
  generate: (request) => ({ path: '/generate', body: encodeOllamaGenerate(request, true) }),
  readFailure,
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
      requestId,
      retryAfterMs: typeof retryAfterMs === 'number' && retryAfterMs >= 0 ? retryAfterMs : undefined,
      problem,
    };
  }
  const code = errorCodeForStatus(status);
  return { code, text: undefined, retryable: errorKinds[code].retryable };
}
