import type { EventStream } from './event-stream.ts';
import type { Framing } from './framing.ts';

/** What a body really is, for a door that writes it without a web stream in between. */
export type DirectBody =
  /** All of it, as text. */
  | { text: string }
  /** Events, to be written with this framing. */
  | { events: EventStream; framing: Framing };

const bodies = new WeakMap<Response, DirectBody>();

/** Notes what the body of this response is made of. */
export function withDirectBody(response: Response, body: DirectBody): Response {
  bodies.set(response, body);
  return response;
}

/**
 * The source behind a response of the kit, for one reader: it counts as read from here on. `undefined` for any other
 * response, and for one whose body somebody reads already.
 */
export function takeDirectBody(response: Response): DirectBody | undefined {
  const body = bodies.get(response);
  if (body === undefined || response.bodyUsed || response.body?.locked) return undefined;
  bodies.delete(response);
  return body;
}
