import { headerOf } from './direct-request.ts';

// A caller's id goes into logs and headers: nothing but these characters.
const acceptable = /^[A-Za-z0-9._-]{8,64}$/;

/** The caller's own `X-Request-Id` when it is harmless, else a new one. */
export function requestIdOf(request: Request): string {
  const given = headerOf(request, 'x-request-id');
  return given !== null && acceptable.test(given) ? given : newId('req');
}

/** A random id of 128 bits with a readable beginning. */
export function newId(prefix: string): string {
  return `${prefix}_${crypto.randomUUID().replaceAll('-', '')}`;
}
