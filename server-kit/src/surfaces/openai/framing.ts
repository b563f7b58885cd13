import { SSE_CONTENT_TYPE, type StreamEventBody } from '@ziggie/llm-protocol';
import type { Framing } from '../../answer/framing.ts';
import { sse, waitingComment } from '../json-forms.ts';
import { openAiError } from './failure.ts';

/**
 * OpenAI's event stream around what is a form's own: a failure as an `error` chunk, which OpenAI's SDK throws, and without
 * `[DONE]`; waits and signs of life as comments.
 *
 * @param encode The form's own events; `undefined` for the others.
 */
export function openAiFraming(encode: (event: StreamEventBody) => string | undefined): Framing {
  return {
    contentType: SSE_CONTENT_TYPE,
    heartbeat: ':\n\n',
    encode: (event) => encode(event) ?? common(event),
  };
}

function common(event: StreamEventBody): string {
  if (event.type === 'error') return sse({ error: openAiError(event) });
  return event.type === 'queued' || event.type === 'loading' ? waitingComment({ ...event }) : '';
}
