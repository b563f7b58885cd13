export type { OpenWebSocket, WebSocketLike } from './websocket/web-socket-like.ts';
export {
  type WebSocketTransport,
  type WebSocketTransportOptions,
  webSocketTransport,
} from './websocket/web-socket-transport.ts';
