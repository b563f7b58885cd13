import { ConnectionError } from '../errors/connection-error.ts';
import type { Transport, TransportRequest, TransportResponse } from '../http/transport.ts';
import type { Settings } from '../settings.ts';
import { Host, isAway } from './host.ts';

/** How long it is believed which models a host holds. */
const LOOK_EVERY_MS = 10_000;

/** Answers, vectors and lists are the same from any host; whatever changes one goes to the first. */
const anyHost =
  /^\/(?:api\/(?:chat|generate|embed|embeddings|tags|ps|version)|chat\/completions|completions|embeddings|models)$/;

/**
 * Sends each request to one of several hosts of the same kind: one that holds the model, failing ones last, then the one
 * with the least under way. A host that cannot be reached or answers 502, 503 or 504 hands over to the next at once; one
 * that failed five times in a row is left alone for 10 s and then tried with one request.
 *
 * @param urls In the order of preference; the first is the client's own `baseUrl`.
 */
export function hostsTransport(settings: Settings, urls: readonly string[]): Transport {
  const { clock, target, baseUrl, transport: inner } = settings;
  const hosts = urls.map((url) => new Host(url, inner, clock));
  let looking: Promise<unknown> | undefined;

  /** Which models are where: asked when that was longer ago than it is believed, of all at once. */
  function look(request: TransportRequest): Promise<unknown> | undefined {
    const now = clock.now();
    const due = hosts.filter(
      (host) => now - host.lookedAt >= LOOK_EVERY_MS && host.breaker.closedForMs(now) === 0,
    );
    if (due.length > 0) {
      looking = Promise.all(due.map((host) => host.look(request))).finally(() => {
        looking = undefined;
      });
    }
    return looking;
  }

  return {
    reportsConnection: inner.reportsConnection,
    async send(request) {
      const path = request.url.slice(baseUrl.length);
      if (!anyHost.test(path)) return inner.send(request);
      // Other servers hold what they serve.
      const model = target.name === 'ollama' ? modelOf(request.body) : undefined;
      if (model !== undefined) await look(request);
      request.signal.throwIfAborted();
      let refusal: TransportResponse | undefined;
      let refusedBy = '';
      let failure: unknown;
      const tried = new Set<Host>();
      for (;;) {
        const host = choose(hosts, tried, model, clock.now());
        if (!host) break;
        tried.add(host);
        const { host: name } = new URL(host.url);
        request.onHost?.(name);
        try {
          const response = await host.send({ ...request, url: host.url + path }, model);
          refusal?.body.close();
          refusal = response;
          refusedBy = name;
          if (!isAway(response.status)) return response;
        } catch (error) {
          if (request.signal.aborted) throw error;
          failure = error;
        }
      }
      if (refusal) {
        request.onHost?.(refusedBy);
        return refusal;
      }
      throw failure ?? allLeftAlone(hosts, clock.now());
    },
  };
}

/** The best host that was not tried yet and may be. */
function choose(
  hosts: readonly Host[],
  tried: ReadonlySet<Host>,
  model: string | undefined,
  now: number,
): Host | undefined {
  const worse = (a: Host, b: Host): number =>
    a.breaker.failures(now) - b.breaker.failures(now) ||
    (model === undefined ? 0 : Number(b.holds(model)) - Number(a.holds(model))) ||
    a.inFlight - b.inFlight;
  return hosts.filter((host) => !tried.has(host) && host.breaker.closedForMs(now) === 0).sort(worse)[0];
}

/** The model of a request in the form of our own encoders, which put it first; with the tag that stands for none. */
function modelOf(body: TransportRequest['body']): string | undefined {
  const found = typeof body === 'string' ? /^\{"model":("(?:[^"\\]|\\.)*")/.exec(body)?.[1] : undefined;
  if (found === undefined) return undefined;
  const model = JSON.parse(found) as string;
  return /:[^/]*$/.test(model) ? model : `${model}:latest`;
}

function allLeftAlone(hosts: readonly Host[], now: number): ConnectionError {
  const waitMs = Math.min(...hosts.map((host) => host.breaker.closedForMs(now)));
  return Object.assign(
    new ConnectionError(
      `None of ${hosts.length} hosts answered lately; the next is tried in ${Math.ceil(waitMs / 1000)} s. Are they running?`,
    ),
    { retryAfterMs: waitMs },
  );
}
