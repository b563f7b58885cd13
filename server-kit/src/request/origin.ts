import type { HeaderWriter } from '../answer/header-list.ts';
import { headerOf } from './direct-request.ts';

/**
 * Whether the `Origin` of a request is this server itself or one of the listed origins. A missing one is neither. A page
 * without TLS is not ours when the connection has it; the other way round a proxy in front may have taken the TLS off.
 */
export function isFromAllowedOrigin(
  request: Request,
  encrypted: boolean,
  corsOrigins: ReadonlySet<string>,
): boolean {
  const origin = headerOf(request, 'origin');
  if (origin === null || origin === 'null') return false;
  if (corsOrigins.has(origin)) return true;
  const host = headerOf(request, 'host');
  const page = URL.parse(origin);
  if (host === null || page === null || page.host !== host.toLowerCase()) return false;
  return page.protocol === 'https:' || (page.protocol === 'http:' && !encrypted);
}

const exposedHeaders =
  'X-Request-Id, X-Ziggie-Stream-Id, X-Ziggie-Cache, Server-Timing, Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate';

/** Adds the CORS headers of an answer (WHATWG Fetch): for a listed origin its own name, for any other nothing. */
export function addCorsHeaders(
  request: Request,
  corsOrigins: ReadonlySet<string>,
  headers: HeaderWriter,
): void {
  if (corsOrigins.size === 0) return;
  headers.append('vary', 'Origin');
  const origin = headerOf(request, 'origin');
  if (origin === null || !corsOrigins.has(origin)) return;
  headers.set('access-control-allow-origin', origin);
  headers.set('access-control-expose-headers', exposedHeaders);
}

/** Adds what a preflight asks for; the caller has found the origin to be listed. */
export function addPreflightHeaders(headers: HeaderWriter, methods: string): void {
  headers.set('access-control-allow-methods', methods);
  headers.set(
    'access-control-allow-headers',
    'Authorization, Content-Type, Accept, X-Request-Id, X-Ziggie-Priority, Idempotency-Key, Last-Event-ID, Cache-Control',
  );
  headers.set('access-control-max-age', '600');
}
