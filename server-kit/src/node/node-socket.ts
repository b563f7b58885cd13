import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { KitSocket, SocketEvents } from '../ws/kit-socket.ts';

/** A socket of `ws` as the kit needs it. */
export function nodeSocket(socket: WebSocket, wire: Duplex): KitSocket {
  return {
    send: (text) => socket.send(text),
    ping: () => socket.ping(),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    listen(events: SocketEvents) {
      socket.on('message', (data, isBinary) => {
        if (isBinary) events.onBinary();
        // `ws` gives a Buffer unless told otherwise; text is checked to be UTF-8 (RFC 6455 §8.1).
        else events.onText((data as Buffer).toString('utf8'));
      });
      socket.on('ping', () => events.onPong());
      socket.on('pong', () => events.onPong());
      // A peer that broke the rules, or said goodbye, is not waited for: it may keep its end open for as long as it likes,
      // and `close` comes only then. Our end has said its last word when the wire is finished.
      socket.on('error', () => events.onClose());
      wire.on('finish', () => events.onClose());
      socket.on('close', () => events.onClose());
      wire.on('drain', () => events.onDrain());
    },
  };
}
