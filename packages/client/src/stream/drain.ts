import type { ByteSource } from '../http/transport.ts';
import type { Clock } from '../types.ts';

/** An honest server ends its body right after the last record. */
const DRAIN_LIMIT_MS = 1_000;
const DRAIN_LIMIT_BYTES = 64 * 1024;

/**
 * Reads what is left of a body whose last record was seen, in the background. Closing instead would cost the connection,
 * and look to the server like a client that left. A server that does not end is cut off.
 */
export function drain(body: ByteSource, clock: Clock): void {
  const cancel = clock.setTimer(() => body.close(), DRAIN_LIMIT_MS);
  let left = DRAIN_LIMIT_BYTES;
  const read = async (): Promise<void> => {
    const { value } = await body.read();
    if (value === undefined) return;
    left -= value.length;
    return left < 0 ? body.close() : read();
  };
  // The answer is whole: a connection that breaks now harms nobody.
  read()
    .catch(() => {})
    .finally(cancel);
}
