import { streamPath } from '@ziggie/llm-protocol';
import { callJson } from '../call/call-json.ts';
import type { Settings } from '../settings.ts';
import type { CallOptions } from '../types.ts';
import type { ResumePoint } from './answer-attempt.ts';

/** Long enough for any server that is there; nobody waits for it. */
const ANSWER_LIMIT_MS = 5_000;

/**
 * Tells the kit, in the background, that nobody will come back for a run. If that fails, the grace ends it.
 *
 * First with the token that the run was asked with: a page that is being closed has no time to fetch another.
 */
export function endRun(settings: Settings, { id, token }: ResumePoint, { headers }: CallOptions): void {
  const { credentials } = settings;
  let known = token;
  const knownFirst = () => {
    const first = known;
    known = undefined;
    return first ?? (typeof credentials === 'function' ? credentials() : (credentials ?? ''));
  };
  callJson(
    { ...settings, credentials: knownFirst },
    { method: 'DELETE', path: streamPath(id), operation: 'streams.stop', answerMs: ANSWER_LIMIT_MS },
    { headers, retry: { maxAttempts: 1 } },
    () => undefined,
  ).catch(() => {});
}
