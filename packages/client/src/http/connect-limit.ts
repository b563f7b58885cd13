import type { Settings } from '../settings.ts';
import type { Timeouts } from '../types.ts';

/** Upload speed that is still granted: 64 KiB/s, a bad mobile line. */
const SLOWEST_UPLOAD_BYTES_PER_MS = 65.536;

/**
 * The limit of the connect phase. Where the transport tells when the connection stands, it is `connectMs`.
 *
 * `fetch` does not tell: the phase then ends with the status line. The kit sends that at most 10 s after it has the
 * request, so these and the time of the upload are added. Ollama sends it with the first token only: `undefined` then,
 * there is no phase to measure.
 */
export function connectLimitMs(
  settings: Settings,
  { connectMs }: Timeouts,
  bodyLength: number,
): number | undefined {
  if (settings.transport.reportsConnection) return connectMs;
  const { headersWithinMs } = settings.target;
  if (headersWithinMs === undefined) return undefined;
  return connectMs + headersWithinMs + bodyLength / SLOWEST_UPLOAD_BYTES_PER_MS;
}
