import { ProtocolError, parseJson } from '@ziggie/llm-protocol';
import type { Connection } from '../connection.ts';
import { KitFailure } from '../failure.ts';
import type { StopSignal } from '../stop.ts';
import { type BodyText, directOf, headerOf } from './direct-request.ts';

const jsonType = /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i;

/** A parsed body and the size it had. */
export interface JsonBody {
  value: unknown;
  bytes: number;
}

/**
 * Reads a JSON body once, within `maxBytes`: refused by its announced length where there is one, cut while reading
 * otherwise, and when `signal` aborts. A body that the host app has parsed already goes through the same checks.
 *
 * `maxBytesBesideImages` bounds what is not a long string in base64, as images are.
 *
 * @throws {KitFailure} `unsupported_media_type`, `payload_too_large` or `bad_request`
 */
export async function readJsonBody(
  request: Request,
  connection: Connection,
  maxBytes: number,
  signal: StopSignal,
  maxBytesBesideImages = maxBytes,
): Promise<JsonBody> {
  const type = headerOf(request, 'content-type') ?? '';
  if (type !== 'application/json' && !jsonType.test(type)) {
    throw new KitFailure(
      'unsupported_media_type',
      'The body must be JSON. Send "Content-Type: application/json".',
    );
  }
  // Nothing is unpacked here: a small body could become one of any size. What a parser in front has unpacked is plain.
  const encoding = headerOf(request, 'content-encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity' && connection.parsedBody === undefined) {
    throw new KitFailure(
      'unsupported_media_type',
      'The body is compressed. Send it without Content-Encoding.',
    );
  }
  if (Number(headerOf(request, 'content-length')) > maxBytes) throw tooLarge(maxBytes);
  const { text, bytes } =
    connection.parsedBody === undefined
      ? await readText(request, maxBytes, signal).catch(asBroken)
      : writtenAgain(connection.parsedBody, maxBytes);
  // Before it is parsed: a million members take seconds, a long string takes none.
  if (bytes > maxBytesBesideImages && bytes - longStrings(text) > maxBytesBesideImages) {
    throw tooLarge(maxBytesBesideImages);
  }
  if (text.trim() === '') throw new KitFailure('bad_request', 'The body is empty. Send a JSON object.');
  try {
    return { value: parseJson(text), bytes };
  } catch (thrown) {
    if (!(thrown instanceof ProtocolError)) throw thrown;
    throw notJson();
  }
}

/** How many bytes stand in strings that can be images: at least 1 KiB of base64. */
function longStrings(text: string): number {
  let sum = 0;
  for (let from = text.indexOf('"'); from !== -1; ) {
    const to = text.indexOf('"', from + 1);
    if (to === -1) break;
    // A pattern for the whole would keep a note per sign; this one stops at the first that is wrong.
    if (to - from > 1024 && !/[^A-Za-z0-9+/=]/.test(text.slice(from + 1, to))) sum += to - from;
    from = to;
  }
  return sum;
}

function notJson(): KitFailure {
  return new KitFailure('bad_request', 'The body is not JSON, or it nests deeper than 64 levels.');
}

/** What the host app has parsed, as text again: it goes through the same checks as any other body. */
function writtenAgain(parsedBody: unknown, maxBytes: number): BodyText {
  let text: string | undefined;
  try {
    text = JSON.stringify(parsedBody);
  } catch {
    // Nested so deep that writing it overflows the stack, or not made of JSON at all.
    throw notJson();
  }
  if (text === undefined) throw notJson();
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) throw tooLarge(maxBytes);
  return { text, bytes };
}

function readText(request: Request, maxBytes: number, signal: StopSignal): Promise<BodyText> {
  const own = directOf(request)?.readText(maxBytes, signal, () => tooLarge(maxBytes));
  return own ?? readStream(request, maxBytes, signal);
}

async function readStream(request: Request, maxBytes: number, signal: StopSignal): Promise<BodyText> {
  if (request.body === null) return { text: '', bytes: 0 };
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const reader = request.body.getReader();
  const pieces: string[] = [];
  let bytes = 0;
  const stop = () => void reader.cancel().catch(() => {});
  signal.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.byteLength;
      if (bytes > maxBytes) {
        stop();
        throw tooLarge(maxBytes);
      }
      pieces.push(decoder.decode(value, { stream: true }));
    }
    pieces.push(decoder.decode());
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return { text: pieces.join(''), bytes };
}

function asBroken(thrown: unknown): never {
  if (thrown instanceof KitFailure) throw thrown;
  throw new KitFailure('bad_request', 'The body broke off or is not UTF-8.', {
    reason: 'body could not be read',
  });
}

/** The refusal of a body above the limit. */
export function tooLarge(maxBytes: number): KitFailure {
  const mebibytes = maxBytes / 1024 / 1024;
  const size = Number.isInteger(mebibytes) ? `${mebibytes} MiB` : `${maxBytes} bytes`;
  return new KitFailure('payload_too_large', `The body is larger than ${size}. Send less.`);
}
