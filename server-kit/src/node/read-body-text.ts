import type { IncomingMessage } from 'node:http';
import type { BodyText } from '../request/direct-request.ts';
import type { StopSignal } from '../stop.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the body of a Node request as text, without a web stream in between. It stops at the first byte too many, and the
 * sender waits from there on.
 *
 * @param tooLong Makes the error for more than `maxBytes`.
 * @throws that error, `TypeError` for what is not UTF-8, and another error when the sender leaves, `stop` aborts, or
 *   something else has read the body.
 */
export async function readBodyText(
  req: IncomingMessage,
  maxBytes: number,
  stop: StopSignal,
  tooLong: () => Error,
): Promise<BodyText> {
  if (isGone(req, stop)) throw new Error('The request body is gone.');
  // A small body comes with its head: it is here once what was read of the socket has been parsed.
  await undefined;
  if (isGone(req, stop)) throw new Error('The request body is gone.');
  if (!isWhole(req)) return readPieces(req, maxBytes, stop, tooLong);
  if (req.readableLength > maxBytes) throw tooLong();
  const whole: Uint8Array = req.read();
  return { text: utf8.decode(whole), bytes: whole.byteLength };
}

/** Whether all of the body waits to be taken. Its length may be here before Node has said that it ends. */
function isWhole(req: IncomingMessage): boolean {
  if (req.httpVersionMajor !== 1 || req.readableFlowing !== null || req.readableLength === 0) return false;
  return req.complete || Number(req.headers['content-length']) === req.readableLength;
}

/** Lets Node see that a body which was taken in one piece is at its end: nobody reads on who would find out. */
export function endTakenBody(req: IncomingMessage): void {
  if (req.complete && req.readableDidRead && !req.readableEnded) req.read(0);
}

function isGone(req: IncomingMessage, stop: StopSignal): boolean {
  return req.readableDidRead || req.readableEnded || req.destroyed || stop.aborted;
}

function readPieces(
  req: IncomingMessage,
  maxBytes: number,
  stop: StopSignal,
  tooLong: () => Error,
): Promise<BodyText> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const detach = () => {
      req.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
      stop.removeEventListener('abort', onBroken);
    };
    const fail = (error: Error) => {
      detach();
      req.pause();
      reject(error);
    };
    const onData = (chunk: Uint8Array) => {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) fail(tooLong());
      else chunks.push(chunk);
    };
    const onEnd = () => {
      detach();
      try {
        const [only] = chunks;
        const whole = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
        resolve({ text: utf8.decode(whole), bytes });
      } catch (error) {
        reject(error);
      }
    };
    const onBroken = () => fail(new Error('The request body broke off: the client closed the connection.'));
    req.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
    stop.addEventListener('abort', onBroken, { once: true });
    req.resume();
  });
}
