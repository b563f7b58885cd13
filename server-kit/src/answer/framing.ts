import {
  encodeNdjson,
  encodeSse,
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
  encode: encodeNdjson,
};
const sse: Framing = { contentType: SSE_CONTENT_TYPE, heartbeat: SSE_HEARTBEAT, encode: encodeSse };

/** The framing that `Accept` asks for. */
export function framingFor(accept: string | null): Framing {
  return accept !== null && /(?:^|[,\s])text\/event-stream(?:[;,\s]|$)/i.test(accept) ? sse : ndjson;
}
