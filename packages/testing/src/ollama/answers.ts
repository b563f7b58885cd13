import { goJson } from './go-json.ts';
import type { HttpFailure } from './http-failure.ts';
import type { Outgoing } from './world.ts';

/** A whole JSON answer: no line end, charset named. */
export function json(value: unknown, status = 200): Outgoing {
  return { status, headers: { 'content-type': 'application/json; charset=utf-8' }, body: goJson(value) };
}

export function text(body: string, status = 200, contentType = 'text/plain'): Outgoing {
  return { status, headers: { 'content-type': contentType }, body };
}

export function empty(status: number, headers: Record<string, string> = {}): Outgoing {
  return { status, headers, body: '' };
}

export function failure(cause: HttpFailure): Outgoing {
  const contentType = cause.fromRunner ? 'application/json' : 'application/json; charset=utf-8';
  return {
    status: cause.status,
    headers: { 'content-type': contentType, ...cause.headers },
    body: cause.body ?? goJson({ error: cause.message, ...cause.members }),
  };
}
