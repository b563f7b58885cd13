import { createHash } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { frame, frameReader, opcodes, type ReadFrame } from './frames.ts';

/** One connection of a server that speaks WebSocket by hand. */
export interface RawSide {
  socket: Socket;
  /** Everything but text that came. */
  control: ReadFrame[];
  /** Ids of the questions that came. */
  asked: string[];
  isClosed: boolean;
}

/** A server on a plain socket: it shakes hands, reads frames, and leaves the rest to `onQuestion`. */
export async function rawServer(
  onQuestion: (side: RawSide, id: string) => void,
): Promise<{ url: string; sides: RawSide[] }> {
  const sides: RawSide[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const side: RawSide = { socket, control: [], asked: [], isClosed: false };
    sides.push(side);
    let head = '';
    const read = frameReader((found) => {
      if (found.opcode !== opcodes.text) {
        side.control.push(found);
        // A server answers a close with the same and hangs up; one that closed first only hangs up.
        if (found.opcode === opcodes.close) socket.end(frame(opcodes.close, found.payload));
        return;
      }
      const { id, type } = JSON.parse(found.payload.toString()) as { id: string; type: string };
      if (type !== 'chat') return;
      side.asked.push(id);
      onQuestion(side, id);
    });
    socket.on('data', (bytes) => {
      if (head.endsWith('\r\n\r\n')) return read(bytes);
      head += bytes.toString('latin1');
      if (!head.endsWith('\r\n\r\n')) return;
      const key = /sec-websocket-key: *(\S+)/i.exec(head)?.[1] ?? '';
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          `Sec-WebSocket-Protocol: ziggie.v1\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => {});
    socket.on('close', () => {
      side.isClosed = true;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const { socket } of sides) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sides };
}
