import { randomUUID } from 'node:crypto';
import { type ErrorCode, PROBLEM_CONTENT_TYPE, problemOf } from '@ziggie/llm-protocol';

/** What a door answers by itself: a problem without a trace of what went wrong inside. */
export function problemResponse(code: ErrorCode, detail: string): Response {
  const requestId = randomUUID();
  const problem = problemOf(code, detail, requestId);
  const body = JSON.stringify(problem);
  return new Response(body, {
    status: problem.status,
    headers: {
      'Content-Type': PROBLEM_CONTENT_TYPE,
      'Content-Length': String(Buffer.byteLength(body)),
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Request-Id': requestId,
    },
  });
}
