import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Longest time that a refusal may take to be read, in ms. */
const lingerMs = 1000;

/** Answers an upgrade with a refusal in HTTP and ends the connection. */
export async function refuseUpgrade(response: Response, socket: Duplex): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer());
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const lines = [`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}`];
  for (const [name, value] of response.headers) {
    if (name !== 'content-length') lines.push(`${name}: ${value}`);
  }
  lines.push('connection: close', `content-length: ${body.byteLength}`, '', '');
  socket.end(Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), body]));
  // What the peer still sends is thrown away, so that it sees the answer and not a reset.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
}
