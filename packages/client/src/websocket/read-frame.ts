import { parseJson } from '@ziggie/llm-protocol';

/** A frame of the server: an event of a request as JSON, or a sign of life without an id. */
export type ReadFrame = { id: string; event: string } | { id: undefined };

const idHead = '{"id":"';
const eventHead = '","event":';

/**
 * Reads whose event a frame is, and leaves the event to its reader. The kit writes the id first, so the common frame is
 * only cut; another form is parsed.
 *
 * @returns `undefined` for what is no frame of the protocol.
 */
export function readFrame(data: unknown): ReadFrame | undefined {
  if (typeof data !== 'string') return undefined;
  if (data.startsWith(idHead) && data.endsWith('}}')) {
    const end = data.indexOf('"', idHead.length);
    if (data.startsWith(eventHead, end)) {
      return { id: data.slice(idHead.length, end), event: data.slice(end + eventHead.length, -1) };
    }
  }
  let frame: { id?: unknown; event?: unknown; type?: unknown } | null;
  try {
    frame = parseJson(data) as typeof frame;
  } catch {
    return undefined;
  }
  if (typeof frame !== 'object' || frame === null) return undefined;
  const { id, event, type } = frame;
  if (typeof id === 'string' && typeof event === 'object' && event !== null) {
    return { id, event: JSON.stringify(event) };
  }
  // Types of a newer server are passed over.
  return typeof type === 'string' ? { id: undefined } : undefined;
}
