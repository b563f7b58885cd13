import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { isUntouched } from './response-head.ts';

/** What `compression` and the like add to a response. */
type Flushable = ServerResponse & { flush?: (() => void) | undefined };

/**
 * Writes text to a Node response, many small pieces of it.
 *
 * Where nothing stands between the response and its socket, all pieces after the first go to the socket itself, framed
 * here as chunks (RFC 9112 §7.1), each in one write. Node hands a chunk to the kernel as four pieces (length, line end,
 * data, line end) with `writev`, which is 40 % of what a streamed token costs. The head, the first chunk and the end
 * stay Node's. Behind middleware that replaces a method of the response, in HTTP/2, in HTTP/1.0, and while another
 * response of a pipelined connection has the socket, everything goes through the response.
 */
export class ResponseWriter {
  readonly #res: Flushable;
  readonly #onDrain: () => void;
  #socket: Socket | undefined;
  #hasBegun = false;

  /** @param onDrain Called when there is room again after a write that found none. */
  constructor(res: ServerResponse, onDrain: () => void) {
    this.#res = res;
    this.#onDrain = onDrain;
    res.on('drain', onDrain);
  }

  /** Gives whether there is room for more. */
  write(text: string): boolean {
    if (this.#socket !== undefined) return writeChunk(this.#socket, text);
    const res = this.#res;
    const mayBeDirect = !this.#hasBegun && res.socket !== null && isUntouched(res);
    this.#hasBegun = true;
    const room = res.write(text);
    res.flush?.();
    // Only now is it known how Node frames the body.
    if (mayBeDirect && res.chunkedEncoding && res.socket !== null) {
      this.#socket = res.socket;
      this.#socket.on('drain', this.#onDrain);
    }
    return room;
  }

  end(): void {
    this.#res.end();
  }

  /** Nothing more will be written. */
  release(): void {
    this.#res.off('drain', this.#onDrain);
    this.#socket?.off('drain', this.#onDrain);
  }
}

/** Writes one chunk. An empty one would end the body, so it is none. */
function writeChunk(socket: Socket, text: string): boolean {
  if (text === '') return socket.write('');
  const bytes = Buffer.byteLength(text);
  const chunk = `${bytes.toString(16)}\r\n${text}\r\n`;
  // What has as many bytes as units is ASCII, and then that is no difference but what it costs.
  return bytes === text.length ? socket.write(chunk, 'latin1') : socket.write(chunk, 'utf8');
}
