import type { Handle, Outgoing, Pieces } from '../ollama/world.ts';

/** Redirects that fetch follows before it gives up, by its standard. */
const MOST_REDIRECTS = 20;

/**
 * Answers a `fetch` call without a socket. Failures look as they do over one: `TypeError`, or the signal's reason.
 *
 * Redirects are followed or refused as `init.redirect` says.
 */
export async function fetchInProcess(
  handle: Handle,
  input: Request | string | URL,
  init: RequestInit | undefined,
): Promise<Response> {
  const request = new Request(input, init);
  request.signal.throwIfAborted();
  const left = new AbortController();
  const leave = () => left.abort();
  request.signal.addEventListener('abort', leave, { once: true });
  // Read once: a redirect sends the body again.
  let body: Promise<string> | undefined;
  const readText = () => {
    body ??= request.text();
    return body;
  };
  let url = new URL(request.url);
  try {
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const outgoing = await handle({
        method: request.method,
        path: url.pathname,
        query: url.search,
        headers: { host: url.host, ...Object.fromEntries(request.headers) },
        hostAllowed: true,
        readText,
        signal: left.signal,
      });
      request.signal.throwIfAborted();
      const location = outgoing.headers['location'];
      if (location === undefined || request.redirect === 'manual') {
        return new Response(bodyOf(outgoing, request, left), {
          status: outgoing.status,
          headers: outgoing.headers,
        });
      }
      if (request.redirect === 'error') throw new TypeError('unexpected redirect');
      url = new URL(location, url);
    }
    throw new TypeError('redirect count exceeded');
  } catch (cause) {
    if (request.signal.aborted) throw request.signal.reason;
    throw new TypeError('fetch failed', { cause });
  }
}

/** Statuses whose answers must not have a body. */
const bodiless: readonly number[] = [101, 204, 205, 304];

function bodyOf({ status, body }: Outgoing, request: Request, left: AbortController): BodyInit | null {
  if (request.method === 'HEAD' || bodiless.includes(status)) return null;
  return typeof body === 'string' ? body : streamOf(body, request.signal, left);
}

/** The pieces as a stream that asks for the next one only when it is read, so nothing runs ahead of the reader. */
function streamOf(pieces: Pieces, signal: AbortSignal, left: AbortController): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        signal.addEventListener('abort', () => controller.error(signal.reason), { once: true });
      },
      async pull(controller) {
        try {
          const next = await pieces.next();
          if (signal.aborted) return;
          if (next.done) controller.close();
          else controller.enqueue(typeof next.value === 'string' ? encoder.encode(next.value) : next.value);
        } catch (cause) {
          if (!signal.aborted) controller.error(new TypeError('terminated', { cause }));
        }
      },
      cancel() {
        left.abort();
      },
    },
    { highWaterMark: 0 },
  );
}
