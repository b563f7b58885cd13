import { Cut } from '../ollama/http-failure.ts';
import type { Handle, Outgoing, Pieces } from '../ollama/world.ts';
import type { ScriptBook } from '../script/script-book.ts';

/** Redirects that fetch follows before it gives up, by its standard. */
const MOST_REDIRECTS = 20;

/**
 * Answers a `fetch` call without a socket. Failures look as they do over one: `TypeError`, or the signal's reason.
 *
 * Redirects are followed or refused as `init.redirect` says.
 */
export async function fetchInProcess(
  handle: Handle,
  scripts: ScriptBook,
  input: Request | string | URL,
  init: RequestInit | undefined,
): Promise<Response> {
  const request = new Request(input, init);
  request.signal.throwIfAborted();
  const left = new AbortController();
  const leave = () => left.abort();
  request.signal.addEventListener('abort', leave, { once: true });
  // Read once: a redirect sends the body again.
  let body: Promise<Uint8Array<ArrayBuffer>> | undefined;
  const readBytes = () => {
    body ??= request.arrayBuffer().then((buffer) => new Uint8Array(buffer));
    return body;
  };
  let url = new URL(request.url);
  try {
    await sufferConnection(scripts, left.signal);
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const outgoing = await handle({
        method: request.method,
        path: url.pathname,
        query: url.search,
        headers: { host: url.host, ...Object.fromEntries(request.headers) },
        hostAllowed: true,
        readBytes,
        signal: left.signal,
      });
      request.signal.throwIfAborted();
      if (outgoing.wire) await suffer(outgoing.wire.ending === 'hang' ? 'ignore' : 'reset', left.signal);
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

/** There is no connection in process: what a script does to one shows as what a failed one looks like. */
async function sufferConnection(scripts: ScriptBook, signal: AbortSignal): Promise<void> {
  const step = scripts.takeConnection(['refuse', 'reset', 'ignore', 'reset-on-reuse']);
  if (step) await suffer(step.how, signal);
}

async function suffer(
  how: 'refuse' | 'reset' | 'ignore' | 'reset-on-reuse',
  signal: AbortSignal,
): Promise<void> {
  if (how === 'ignore') {
    await new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('The client left.')), { once: true });
    });
  }
  const code = how === 'refuse' ? 'ECONNREFUSED' : 'ECONNRESET';
  throw Object.assign(new Error(how === 'refuse' ? 'connect ECONNREFUSED' : 'read ECONNRESET'), { code });
}

/** Statuses whose answers must not have a body. */
const bodiless: readonly number[] = [101, 204, 205, 304];

function bodyOf({ status, body, shape }: Outgoing, request: Request, left: AbortController): BodyInit | null {
  if (request.method === 'HEAD' || bodiless.includes(status)) return null;
  // As bytes: a text would be given a content type of its own.
  if (typeof body === 'string') return body === '' ? null : new TextEncoder().encode(body);
  // fetch would have decoded it, and noticed at the end that the rest is missing.
  return streamOf(shape?.gzip?.cutBytes ? brokenAtEnd(body) : body, request.signal, left);
}

async function* brokenAtEnd(body: Pieces): Pieces {
  yield* body;
  throw new Cut('close');
}

/** The pieces as a stream that asks for the next one only when it is read, so nothing runs ahead of the reader. */
function streamOf(pieces: Pieces, signal: AbortSignal, left: AbortController): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  // Whoever waits at a piece that nobody takes must be let go, or what it holds is held for ever.
  const release = () => void pieces.return().catch(() => {});
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const abort = () => {
          controller.error(signal.reason);
          release();
        };
        signal.addEventListener('abort', abort, { once: true });
      },
      async pull(controller) {
        try {
          let next = await pieces.next();
          // Nothing to read, but the answer has begun: a stream takes no empty chunk.
          while (!next.done && next.value.length === 0) next = await pieces.next();
          if (signal.aborted) return;
          if (next.done) controller.close();
          else controller.enqueue(typeof next.value === 'string' ? encoder.encode(next.value) : next.value);
        } catch (cause) {
          if (!signal.aborted) controller.error(new TypeError('terminated', { cause }));
        }
      },
      cancel() {
        left.abort();
        release();
      },
    },
    { highWaterMark: 0 },
  );
}
