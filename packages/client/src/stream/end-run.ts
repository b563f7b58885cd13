import { streamPath } from '@ziggie/llm-protocol';
import { callJson } from '../call/call-json.ts';
import type { Settings } from '../settings.ts';
import type { CallOptions } from '../types.ts';

/** Long enough for any server that is there; nobody waits for it. */
const ANSWER_LIMIT_MS = 5_000;

/** Tells the kit, in the background, that nobody will come back for a run. If that fails, the grace ends it. */
export function endRun(settings: Settings, id: string, { headers }: CallOptions): void {
  callJson(
    settings,
    { method: 'DELETE', path: streamPath(id), operation: 'streams.stop', answerMs: ANSWER_LIMIT_MS },
    { headers, retry: { maxAttempts: 1 } },
    () => undefined,
  ).catch(() => {});
}
