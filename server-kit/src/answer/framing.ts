import {
  NDJSON_CONTENT_TYPE,
  NDJSON_HEARTBEAT,
  SSE_CONTENT_TYPE,
  SSE_HEARTBEAT,
  type StreamEvent,
} from '@ziggie/llm-protocol';

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
  const { text, seq } = event;
  return isWrittenAsIs(text)
    ? `{"type":"${type}","text":"${text}","seq":${seq}}`
    : `{"type":"${type}","text":${JSON.stringify(text)},"seq":${seq}}`;
}

/** Whether JSON writes a text as it is. Most tokens do, and to look is cheaper than to ask `JSON.stringify`. */
function isWrittenAsIs(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Half of a pair is written as an escape.
    if (unit < 0x20 || unit === 0x22 || unit === 0x5c || (unit >= 0xd800 && unit <= 0xdfff)) return false;
  }
  return true;
}

/** The framing that `Accept` asks for. */
export function framingFor(accept: string | null): Framing {
  return accept !== null && /(?:^|[,\s])text\/event-stream(?:[;,\s]|$)/i.test(accept) ? sse : ndjson;
}
