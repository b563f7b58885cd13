/** The part of a WebSocket that is used: the browsers' own, `ws`, or any other with the same members. */
export interface WebSocketLike {
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: never) => unknown) | null;
  onerror: ((event: never) => unknown) | null;
  onclose: ((event: never) => unknown) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

/**
 * Opens a socket. `headers` carries `Authorization` when there is a token: send it with the upgrade.
 *
 * @example
 * ```ts
 * import { WebSocket } from 'ws';
 * const open: OpenWebSocket = (url, protocols, headers) => new WebSocket(url, [...protocols], { headers });
 * ```
 */
export type OpenWebSocket = (
  url: string,
  protocols: readonly string[],
  headers: Readonly<Record<string, string>>,
) => WebSocketLike;
