import { empty } from './answers.ts';
import { HttpFailure } from './http-failure.ts';
import type { Incoming, Outgoing, World } from './world.ts';

const form = /^sha256[:-][0-9a-fA-F]{64}$/;

/** `HEAD /api/blobs/:digest` */
export function headBlob(world: World, _: Incoming, digest: string): Outgoing {
  requireForm(digest);
  return empty(world.blobs.has(withColon(digest)) ? 200 : 404);
}

/** `POST /api/blobs/:digest`: 201 for a new one, 200 for one that is there already. */
export async function postBlob(world: World, incoming: Incoming, digest: string): Promise<Outgoing> {
  requireForm(digest);
  if (world.blobs.has(withColon(digest))) return empty(200);
  const bytes = await incoming.readBytes();
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const actual = `sha256:${[...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  // The texts are compared: the form with the dash passes the check above and fails here.
  if (actual !== digest) {
    throw new HttpFailure(400, `digest mismatch, expected "${digest}", got "${actual}"`);
  }
  world.blobs.put(actual, bytes.length, new TextDecoder('latin1').decode(bytes.slice(0, 4)) === 'GGUF');
  return empty(201);
}

export function requireForm(digest: string): void {
  if (!form.test(digest)) throw new HttpFailure(400, 'invalid digest format');
}

function withColon(digest: string): string {
  return digest.replace('sha256-', 'sha256:');
}
