import { createAuthenticate } from './auth/authenticate.ts';
import type { Connection } from './connection.ts';
import { RequestContext } from './context.ts';
import { asFailure, failureResponse, KitFailure, shuttingDown } from './failure.ts';
import { settingsOf } from './kit-options.ts';
import type { KitGauges, ServerKit, ServerKitOptions } from './kit-types.ts';
import { LeaseBook } from './lease.ts';
import { admit, type PipelineParts } from './pipeline.ts';
import { RateLimits } from './rate-limit/rate-limits.ts';
import { addCorsHeaders, addPreflightHeaders } from './request/origin.ts';
import { requestIdOf } from './request/request-id.ts';
import { pathOf } from './request/target.ts';
import { type AnswerParts, answerRoute } from './routes/answer-route.ts';
import {
  healthRoute,
  type InfoParts,
  type JsonAnswer,
  liveRoute,
  modelsRoute,
  readyRoute,
  statusRoute,
} from './routes/info-routes.ts';
import { allowedMethods, type Operation, type Route, routeFor, routesAt } from './routes/route-table.ts';
import { ModelCatalog } from './upstream/model-catalog.ts';
import { UndiciTransport } from './upstream/undici-transport.ts';

/**
 * A guarded, honest proxy in front of a model server, to be mounted with one of the doors.
 *
 * Without `auth` and `authenticate` nobody gets in. Every answer has a request id; every failure a code of the error
 * table.
 *
 * @throws {TypeError} when an option is not valid; the message names each by its path.
 *
 * @example
 * const kit = createServerKit({
 *   upstreams: [{ url: 'http://127.0.0.1:11434' }],
 *   auth: { jwt: { secret: process.env.JWT_SECRET, issuer: 'my-app', audience: 'my-app' } },
 * });
 * app.use('/api/llm', ziggieExpress(kit));
 */
export function createServerKit(options: ServerKitOptions): ServerKit {
  return new Kit(options);
}

class Kit implements ServerKit {
  readonly #settings;
  readonly #leases: LeaseBook;
  readonly #transport: UndiciTransport;
  readonly #pipeline: PipelineParts;
  readonly #answering: AnswerParts;
  readonly #info: InfoParts;
  #closing: Promise<void> | undefined;

  constructor(options: ServerKitOptions) {
    const settings = settingsOf(options);
    this.#settings = settings;
    const isDraining = () => this.#closing !== undefined;
    this.#leases = new LeaseBook(settings.clock, settings.limits.maxInFlight, isDraining);
    this.#transport = new UndiciTransport(settings.upstreamUrl, settings.timeouts.connectMs);
    const catalog = new ModelCatalog(this.#transport, settings.clock);
    this.#pipeline = {
      authenticate: createAuthenticate(settings),
      rateLimits: new RateLimits(settings),
      isDraining,
    };
    this.#answering = { settings, transport: this.#transport, catalog, leases: this.#leases };
    this.#info = { catalog, clock: settings.clock, isDraining };
  }

  async handle(request: Request, connection: Connection): Promise<Response | undefined> {
    const rows = routesAt(pathOf(connection.target));
    const [first] = rows;
    if (first === undefined) return undefined;
    const { clock, logger, corsOrigins } = this.#settings;
    const route = routeFor(rows, request.method);
    const context = new RequestContext(requestIdOf(request), request.method, route ?? first, clock, logger);
    addCorsHeaders(request, corsOrigins, context.headers);
    let response: Response;
    try {
      response = route
        ? await this.#answer(route, request, connection, context)
        : this.#otherMethod(rows, request, context);
    } catch (thrown) {
      const failure = asFailure(thrown);
      context.log(failure.status >= 500 ? 'failed' : 'refused', failure.status, failure);
      response = failureResponse(failure, context.id, context.finalHeaders());
    }
    if (request.method !== 'HEAD') return response;
    await response.body?.cancel();
    return new Response(null, response);
  }

  gauges(): KitGauges {
    return {
      activeRequests: this.#leases.active,
      openUpstream: this.#transport.open,
      timers: this.#leases.timers,
    };
  }

  close({ drainMs = this.#settings.timeouts.drainMs }: { drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#drain(drainMs);
    return this.#closing;
  }

  async #drain(drainMs: number): Promise<void> {
    const cancel = this.#settings.clock.setTimer(() => this.#leases.failAll(shuttingDown()), drainMs);
    await this.#leases.idle();
    cancel();
    await this.#transport.close();
  }

  async #answer(
    route: Route,
    request: Request,
    connection: Connection,
    context: RequestContext,
  ): Promise<Response> {
    await admit(this.#pipeline, request, connection, context);
    const { operation } = route;
    if (isAnswering(operation)) return answerRoute(this.#answering, request, connection, context);
    const { status, body } = await this.#inform(operation);
    context.log('ok', status);
    const headers = context.finalHeaders();
    headers.set('content-type', 'application/json; charset=utf-8');
    headers.set('cache-control', 'no-store');
    return new Response(JSON.stringify(body), { status, headers });
  }

  async #inform(operation: Exclude<Operation, Answering>): Promise<JsonAnswer> {
    switch (operation) {
      case 'models':
        return modelsRoute(this.#info);
      case 'status':
        return statusRoute(this.#info);
      case 'health':
        return healthRoute(this.#info);
      case 'live':
        return liveRoute();
      case 'ready':
        return readyRoute(this.#info);
    }
  }

  /** A preflight of a listed origin, else 405. */
  #otherMethod(rows: readonly Route[], request: Request, context: RequestContext): Response {
    const allow = allowedMethods(rows);
    const isPreflight = request.method === 'OPTIONS' && request.headers.has('access-control-request-method');
    if (isPreflight && context.headers.has('access-control-allow-origin')) {
      addPreflightHeaders(context.headers, allow);
      context.log('ok', 204);
      return new Response(null, { status: 204, headers: context.finalHeaders() });
    }
    if (isPreflight) {
      throw new KitFailure(
        'forbidden',
        'This origin may not call from a browser. Add it to cors.origins of the kit.',
      );
    }
    throw new KitFailure('method_not_allowed', `This address answers ${allow}.`, { headers: { allow } });
  }
}

type Answering = 'chat' | 'generate' | 'generate-complete';

function isAnswering(operation: Operation): operation is Answering {
  return operation === 'chat' || operation === 'generate' || operation === 'generate-complete';
}
