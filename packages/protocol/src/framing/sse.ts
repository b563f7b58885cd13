import type { StreamEvent } from '../stream-event.ts';

/** Content type of server-sent events (WHATWG HTML, "Server-sent events"). */
export const SSE_CONTENT_TYPE = 'text/event-stream';

/** A comment: keeps a silent connection open, no reader sees it as an event. */
export const SSE_HEARTBEAT = ':\n\n';

/** One event of ours as it travels: its number as the event id, so a browser reports it as `Last-Event-ID`. */
export function encodeSse(event: StreamEvent): string {
  return `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`;
}
