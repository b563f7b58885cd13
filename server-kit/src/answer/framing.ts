import {
  NDJSON_CONTENT_TYPE,
  NDJSON_HEARTBEAT,
  SSE_CONTENT_TYPE,
  SSE_HEARTBEAT,
  type StreamEvent,
} from '@ziggie/llm-protocol';
import { jsonString } from './json-string.ts';

/** How events are written: NDJSON unless the caller asks for server-sent events. */
export interface Framing {
  contentType: string;
  heartbeat: string;
  encode(event: StreamEvent): string;
}

const ndjson: Framing = {
  contentType: NDJSON_CONTENT_TYPE,
  heartbeat: NDJSON_HEARTBEAT,
  encode: (event) => `${jsonOf(event)}\n`,
};
const sse: Framing = {
  contentType: SSE_CONTENT_TYPE,
  heartbeat: SSE_HEARTBEAT,
  encode: (event) => `id: ${event.seq}\ndata: ${jsonOf(event)}\n\n`,
};

/** As `JSON.stringify` gives it, without looking for members where an event comes once per token. */
function jsonOf(event: StreamEvent): string {
  const { type } = event;
  if (type !== 'text-delta' && type !== 'thinking-delta') return JSON.stringify(event);
  return `{"type":"${type}","text":${jsonString(event.text)},"seq":${event.seq}}`;
}

/** The framing that `Accept` asks for. */
export function framingFor(accept: string | null): Framing {
  return accept !== null && /(?:^|[,\s])text\/event-stream(?:[;,\s]|$)/i.test(accept) ? sse : ndjson;
}
