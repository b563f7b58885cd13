import type { Connection } from '../connection.ts';
import type { ServerKit } from '../kit-types.ts';
import type { EventSource } from './event-stream.ts';
import type { Framing } from './framing.ts';
import { HeaderList } from './header-list.ts';
import { webBody } from './web-body.ts';

/** What a body is made of. `null` is none. */
export type AnswerBody =
  /** All of it. */
  | { text: string }
  /** Events, to be written with this framing. */
  | { events: EventSource; framing: Framing }
  | null;

/**
 * An answer before it is a web `Response` or bytes on a socket. Inside the kit answers have this form; `Response`,
 * `Headers` and web streams are made only for callers that want them, since they cost several times what a small request
 * costs otherwise.
 */
export interface Answer {
  status: number;
  headers: HeaderList;
  body: AnswerBody;
}

/** Whether it is one of ours and not a web `Response`. */
export function isAnswer(answer: Answer | Response): answer is Answer {
  return answer.headers instanceof HeaderList;
}

/** An answer with a JSON text for a body, not to be stored by anybody. */
export function jsonAnswer(status: number, text: string, headers: HeaderList): Answer {
  headers.set('content-type', 'application/json; charset=utf-8');
  headers.set('cache-control', 'no-store');
  return { status, headers, body: { text } };
}

/** The answer as the web standard has it. */
export function toResponse({ status, headers, body }: Answer): Response {
  const init = { status, headers: headers.toHeaders() };
  if (body === null) return new Response(null, init);
  return new Response('text' in body ? body.text : webBody(body.events, body.framing), init);
}

/** An answer that nobody will read: its source is told. */
export function dropAnswer({ body }: Answer): void {
  if (body !== null && 'events' in body) body.events.leave();
}

/** The kit's core: as `handle`, without the objects of the web standard. */
export type AnswerDirectly = (request: Request, connection: Connection) => Promise<Answer | undefined>;

const cores = new WeakMap<ServerKit, { handle: ServerKit['handle']; answer: AnswerDirectly }>();

/** Notes what is behind `handle` of this very kit. */
export function offerDirectly(kit: ServerKit, answer: AnswerDirectly): void {
  cores.set(kit, { handle: kit.handle, answer });
}

/** What is behind `handle`, for our own doors; `undefined` for a kit that somebody wrapped or wrote: there only `handle` counts. */
export function directlyOf(kit: ServerKit): AnswerDirectly | undefined {
  const core = cores.get(kit);
  return core !== undefined && kit.handle === core.handle ? core.answer : undefined;
}
