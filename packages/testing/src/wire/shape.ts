import { Cut } from '../ollama/http-failure.ts';
import { sleep } from '../ollama/sleep.ts';
import type { Outgoing, Pieces } from '../ollama/world.ts';
import type { Shape } from '../script/step-types.ts';
import type { FakeClock } from '../types.ts';

/** The answer as a script wants it on the wire. What only a socket can do is left to the door, in `outgoing.shape`. */
export function shaped(outgoing: Outgoing, shape: Shape, clock: FakeClock, signal: AbortSignal): Outgoing {
  const { sliceBytes, splitAtByte, merge, limitBytes } = shape;
  let { body } = outgoing;
  if ([sliceBytes, splitAtByte, limitBytes].some((value) => value !== undefined) || merge) {
    body = typeof body === 'string' ? single(body) : body;
    if (merge) body = merged(body);
    if (splitAtByte !== undefined) body = split(body, splitAtByte);
    if (limitBytes !== undefined) body = limited(body, limitBytes, shape.limitCut ?? 'close');
    if (sliceBytes !== undefined) {
      body = sliced(body, sliceBytes, (isFirst) =>
        sleep(clock, isFirst ? 0 : (shape.sliceEveryMs ?? 0), signal),
      );
    }
  }
  const headers = { ...outgoing.headers };
  for (const [name, value] of Object.entries(shape.headers ?? {})) {
    if (value === undefined) delete headers[name.toLowerCase()];
    else headers[name.toLowerCase()] = value;
  }
  return { ...outgoing, status: shape.status ?? outgoing.status, headers, body, shape };
}

async function* single(body: string): Pieces {
  if (body !== '') yield body;
}

const bytesOf = (piece: string | Uint8Array<ArrayBuffer>) =>
  typeof piece === 'string' ? new TextEncoder().encode(piece) : piece;

function joined(pieces: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

async function* merged(body: Pieces): Pieces {
  let held: Uint8Array<ArrayBuffer>[] = [];
  try {
    for await (const piece of body) {
      if (piece.length > 0) held.push(bytesOf(piece));
      else if (held.length > 0) {
        yield joined(held);
        held = [];
      } else yield piece;
    }
  } catch (cause) {
    if (held.length > 0) yield joined(held);
    throw cause;
  }
  if (held.length > 0) yield joined(held);
}

async function* split(body: Pieces, at: number): Pieces {
  let seen = 0;
  for await (const piece of body) {
    const bytes = bytesOf(piece);
    const cut = at - seen;
    seen += bytes.length;
    if (cut > 0 && cut < bytes.length) {
      yield bytes.slice(0, cut);
      yield bytes.slice(cut);
    } else yield piece;
  }
}

async function* limited(body: Pieces, bytesLeft: number, how: Cut['how']): Pieces {
  let left = bytesLeft;
  for await (const piece of body) {
    const bytes = bytesOf(piece);
    if (bytes.length >= left) {
      yield bytes.slice(0, left);
      if (how === 'end') return;
      throw new Cut(how);
    }
    left -= bytes.length;
    yield piece;
  }
}

async function* sliced(body: Pieces, size: number, pause: (isFirst: boolean) => Promise<void>): Pieces {
  let isFirst = true;
  for await (const piece of body) {
    const bytes = bytesOf(piece);
    if (bytes.length === 0) yield piece;
    for (let at = 0; at < bytes.length; at += size) {
      await pause(isFirst);
      isFirst = false;
      yield bytes.slice(at, at + size);
    }
  }
}
