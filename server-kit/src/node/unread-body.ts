import type { IncomingMessage } from 'node:http';
import type { Clock } from '../clock.ts';

/** Thrown away after an answer so that the connection can be used again: 256 KiB, less than a new TLS session costs. */
const DISCARD_BYTES = 256 * 1024;
/** How long a sender has to notice the answer before it is cut off. */
const LINGER_MS = 1_000;

/**
 * Before an answer to a request whose body may not be read to its end: keeps Node from throwing the rest away by itself
 * when the answer is out, which it does as fast as the sender sends, without end and without counting.
 */
export function holdUnreadBody(req: IncomingMessage): void {
  // A read of nothing marks the body as somebody's; at most one buffer (64 KiB) is filled.
  if (!req.complete) req.read(0);
}

/**
 * After the answer to a request whose body was not read to its end. What is already under way is thrown away; a sender
 * that goes on is left waiting, so that it sees the answer (a reset at once could overtake it), and then cut off.
 */
export function discardUnreadBody(req: IncomingMessage, clock: Clock): void {
  if (req.complete || req.destroyed) return;
  let discarded = 0;
  const onData = (chunk: Uint8Array) => {
    discarded += chunk.byteLength;
    if (discarded > DISCARD_BYTES) req.pause();
  };
  const cancelTimer = clock.setTimer(() => req.socket.destroy(), LINGER_MS);
  req.on('data', onData);
  req.once('close', () => {
    cancelTimer();
    req.off('data', onData);
  });
  req.resume();
}
