import type { RequestContext } from '../context.ts';
import type { Framing } from './framing.ts';
import type { HeaderList } from './header-list.ts';

/** The header fields of an answer that is written event by event. */
export function streamHeaders(context: RequestContext, framing: Framing, id: string): HeaderList {
  const headers = context.finalHeaders();
  headers.set('content-type', framing.contentType);
  headers.set('cache-control', 'no-store, no-transform');
  // nginx would hold tokens back without this.
  headers.set('x-accel-buffering', 'no');
  headers.set('x-ziggie-stream-id', id);
  return headers;
}
