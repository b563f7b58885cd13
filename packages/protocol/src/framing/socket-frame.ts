import type { ChatRequest, GenerateRequest } from '../chat.ts';
import type { StreamEvent } from '../stream-event.ts';

/** Subprotocol of the kit's WebSocket. A browser sends its ticket beside it: `ziggie.v1, ticket.<t>`. */
export const SOCKET_SUBPROTOCOL = 'ziggie.v1';

/** Prefix of the subprotocol that carries a one-use ticket. */
export const SOCKET_TICKET_PREFIX = 'ticket.';

/** The answer of `POST /ws/ticket`: good for one upgrade from the same origin. */
export interface SocketTicket {
  ticket: string;
  expiresInMs: number;
}

/** Longest time between two frames from either side, in milliseconds; a silent peer is dead after twice that. */
export const SOCKET_PING_INTERVAL_MS = 30_000;

/**
 * What a client says. Text frames, one JSON object each.
 *
 * `id` names one request on this socket, at most 64 of `[A-Za-z0-9_-]`, never used twice while it runs. `credit` is how
 * many events the server may send before it needs more: the consumer's speed reaches the GPU, and one slow reader does
 * not hold up the others on the socket. Terminal events need no credit; they keep their place behind the events before
 * them. A `cancel` is answered by an `error` event with the code `aborted`, after which the id is free, unless the last
 * event was under way already. `auth` brings the first credential where the server lets it, and later a newer one of
 * the same principal.
 */
export type ClientFrame =
  | { id: string; type: 'chat'; request: WireBody<ChatRequest>; credit: number }
  | { id: string; type: 'generate'; request: WireBody<GenerateRequest>; credit: number }
  | { id: string; type: 'resume'; streamId: string; after: number; credit: number }
  | { id: string; type: 'credit'; credit: number }
  | { id: string; type: 'cancel' }
  | { type: 'auth'; token: string }
  | { type: 'ping' };

/** The body that the same request would have had over HTTP. */
export type WireBody<_Request> = Record<string, unknown>;

/**
 * What a server says: an event of the request `id`, as over HTTP with its `seq`, or the answer to a `ping`. `id` is
 * written first, so that a reader can tell whose event it is without parsing it.
 */
export type ServerFrame = { id: string; event: StreamEvent } | { type: 'pong' };

/** Why a socket was closed, beside the codes of RFC 6455. */
export const socketCloseCodes = {
  /** The credential is missing, wrong or has expired: come back with a new one. */
  unauthorized: 4401,
  /** This caller may not use the socket: do not come back. */
  forbidden: 4403,
  /** No credential within 5 s, or no sign of life for two ping intervals. */
  timeout: 4408,
  /** Too many frames, requests or sockets. */
  rateLimited: 4429,
  /** The server is going away: come back with jitter. */
  unavailable: 4503,
} as const;
