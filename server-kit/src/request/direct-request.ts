import type { StopSignal } from '../stop.ts';

/** A body as text, and the bytes that it had. */
export interface BodyText {
  text: string;
  bytes: number;
}

/**
 * What the requests of our own doors offer beside the members of `Request`, whose `headers`, `body` and `signal` are made
 * when they are first asked for and cost more than reading what is there. Any other `Request` serves all the same.
 */
export interface DirectRequest {
  /** As `headers.get`, by a lower-case name. */
  header(name: string): string | null;
  /** Says when the caller has left. */
  readonly left: StopSignal;
  /**
   * Reads the body as {@link readText} does. `undefined` when it has to go through `body`.
   *
   * @param tooLong Makes what is thrown when there are more bytes than `maxBytes`.
   */
  readText(maxBytes: number, stop: StopSignal, tooLong: () => Error): Promise<BodyText> | undefined;
}

/** Where a request keeps it. */
export const direct = Symbol('ziggie.direct');

/** What a request offers beside the members of `Request`. */
export function directOf(request: Request): DirectRequest | undefined {
  return (request as { [direct]?: DirectRequest })[direct];
}

/** A header of a request by its lower-case name, repetitions joined; `null` when there is none. */
export function headerOf(request: Request, name: string): string | null {
  const own = directOf(request);
  return own === undefined ? request.headers.get(name) : own.header(name);
}

/** Says when the caller of a request has left. */
export function leftOf(request: Request): StopSignal {
  return directOf(request)?.left ?? request.signal;
}
