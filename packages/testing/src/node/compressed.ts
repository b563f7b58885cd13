import { gzipSync } from 'node:zlib';
import type { Outgoing, Pieces } from '../ollama/world.ts';
import type { Shape } from '../script/step-types.ts';

/** White space of this size is one member of a bomb; gzip readers take members one after the other. */
const BOMB_MEMBER_BYTES = 16 * 1024 * 1024;

/** The body compressed as the script says; the headers say so too. */
export function compressed(outgoing: Outgoing, gzip: NonNullable<Shape['gzip']>): Pieces {
  const layers = gzip.layers ?? 1;
  outgoing.headers['content-encoding'] ??= Array.from({ length: layers }, () => 'gzip').join(', ');
  return gzip.bombBytes === undefined
    ? whole(outgoing.body, layers, gzip.cutBytes ?? 0)
    : bomb(gzip.bombBytes);
}

async function* whole(body: Outgoing['body'], layers: number, cutBytes: number): Pieces {
  const pieces: Uint8Array[] = [];
  if (typeof body === 'string') pieces.push(Buffer.from(body));
  else for await (const piece of body) pieces.push(typeof piece === 'string' ? Buffer.from(piece) : piece);
  let bytes = Buffer.concat(pieces);
  for (let layer = 0; layer < layers; layer++) bytes = gzipSync(bytes);
  yield new Uint8Array(bytes.subarray(0, bytes.length - cutBytes));
}

async function* bomb(bytes: number): Pieces {
  const member = new Uint8Array(gzipSync(Buffer.alloc(BOMB_MEMBER_BYTES, ' '), { level: 9 }));
  for (let sent = 0; sent < bytes; sent += BOMB_MEMBER_BYTES) yield member;
}
