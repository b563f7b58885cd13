import { withDirectBody } from './answer/direct-body.ts';
import { createIdentity, type Identity } from './auth/identity.ts';
import type { Revocations } from './auth/revocations.ts';
import type { Connection } from './connection.ts';
import { RequestContext } from './context.ts';
import { asFailure, failureResponse, KitFailure, shuttingDown } from './failure.ts';
import type { Keys } from './keys/keys.ts';
import { settingsOf } from './kit-options.ts';
import type { KitGauges, Principal, ServerKit, ServerKitOptions } from './kit-types.ts';
import { LeaseBook } from './lease.ts';
import { Limits } from './limits/limits.ts';
import { Settler } from './limits/settler.ts';
import { TokenEstimate } from './limits/token-estimate.ts';
import { admit, type PipelineParts } from './pipeline.ts';
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
import { type KeyParts, keyRoute } from './routes/key-routes.ts';
import { type MeParts, meRoute, myLimitsRoute } from './routes/me-routes.ts';
import { allowedMethods, type Operation, type Route, routeFor, routesAt } from './routes/route-table.ts';
import { ModelCatalog } from './upstream/model-catalog.ts';
import { UndiciTransport } from './upstream/undici-transport.ts';
import type { AcceptUpgrade, UpgradeOutcome } from './ws/kit-socket.ts';
import { SocketDesk } from './ws/socket-desk.ts';

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
  readonly #sockets: SocketDesk;
  readonly #identity: Identity;
  readonly #settler: Settler;
  readonly #me: MeParts;
  readonly #keyParts: KeyParts;
  readonly keys: Keys;
  readonly revocations: Revocations;
  #closing: Promise<void> | undefined;

  constructor(options: ServerKitOptions) {
    const settings = settingsOf(options);
    this.#settings = settings;
    const isDraining = () => this.#closing !== undefined;
    const { clock, logger } = settings;
    this.#leases = new LeaseBook(clock, isDraining);
    this.#transport = new UndiciTransport(settings.upstreamUrl, settings.timeouts.connectMs);
    const catalog = new ModelCatalog(this.#transport, settings.clock);
    const identity = createIdentity(settings);
    this.#identity = identity;
    this.keys = identity.keys;
    this.revocations = identity.revocations;
    const limits = new Limits(settings.limits.rules, settings.prices, identity.limitStore, clock);
    this.#settler = new Settler(identity.limitStore, clock, logger);
    const metering = { limits, settler: this.#settler, estimate: new TokenEstimate(), clock };
    this.#pipeline = { authenticate: identity.authenticate, roles: settings.roles, limits, isDraining };
    this.#answering = {
      settings,
      transport: this.#transport,
      catalog,
      leases: this.#leases,
      metering,
      content: settings.content,
    };
    this.#info = { catalog, clock, isDraining };
    this.#me = { limits, now: () => clock.wallNow() };
    this.#keyParts = { keys: this.keys, revocations: this.revocations, roles: settings.roles, clock };
    this.#sockets = new SocketDesk({ settings, pipeline: this.#pipeline, answering: this.#answering });
  }

  async handle(request: Request, connection: Connection): Promise<Response | undefined> {
    const rows = routesAt(pathOf(connection.target));
    const [first] = rows;
    if (first === undefined || !this.#serves(first)) return undefined;
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
      response = refusal(thrown, context);
    }
    if (request.method !== 'HEAD') return response;
    await response.body?.cancel();
    return new Response(null, response);
  }

  async acceptSocket(
    request: Request,
    connection: Connection,
    accept: AcceptUpgrade,
  ): Promise<UpgradeOutcome> {
    const route = routeFor(routesAt(pathOf(connection.target)), 'GET');
    if (route?.operation !== 'socket' || !this.#serves(route)) return undefined;
    const { clock, logger } = this.#settings;
    const context = new RequestContext(requestIdOf(request), 'GET', route, clock, logger);
    try {
      await this.#sockets.accept(request, connection, accept, context);
      return 'accepted';
    } catch (thrown) {
      return refusal(thrown, context);
    }
  }

  gauges(): KitGauges {
    return {
      activeRequests: this.#leases.active,
      openUpstream: this.#transport.open,
      timers: this.#leases.timers,
      sockets: this.#sockets.open,
    };
  }

  close({ drainMs = this.#settings.timeouts.drainMs }: { drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#drain(drainMs);
    return this.#closing;
  }

  async #drain(drainMs: number): Promise<void> {
    const cancel = this.#settings.clock.setTimer(() => this.#leases.failAll(shuttingDown()), drainMs);
    this.#sockets.goAway();
    await this.#leases.idle();
    cancel();
    this.#sockets.closeAll();
    await this.#settler.close();
    await this.#identity.close();
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
    const { status, body } = await this.#inform(operation, request, connection, context);
    context.log('ok', status);
    const headers = context.finalHeaders();
    headers.set('content-type', 'application/json; charset=utf-8');
    headers.set('cache-control', 'no-store');
    if (body === undefined) return new Response(null, { status, headers });
    const text = JSON.stringify(body);
    return withDirectBody(new Response(text, { status, headers }), { text });
  }

  #serves({ operation }: Route): boolean {
    return (operation !== 'socket' && operation !== 'ticket') || this.#settings.sockets.enabled;
  }

  async #inform(
    operation: Exclude<Operation, Answering>,
    request: Request,
    connection: Connection,
    context: RequestContext,
  ): Promise<JsonAnswer> {
    switch (operation) {
      case 'socket':
        throw new KitFailure('bad_request', 'This address is a WebSocket. Open it with an upgrade.', {
          headers: { upgrade: 'websocket' },
        });
      case 'ticket':
        return { status: 200, body: await this.#sockets.ticket(request, context.principal as Principal) };
      case 'models':
        return modelsRoute(this.#info, context.rights);
      case 'status':
        return statusRoute(this.#info);
      case 'health':
        return healthRoute(this.#info);
      case 'live':
        return liveRoute();
      case 'ready':
        return readyRoute(this.#info);
      case 'me':
        return meRoute(context);
      case 'my-limits':
        return myLimitsRoute(this.#me, context);
      default:
        return keyRoute(this.#keyParts, operation, request, connection, context);
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

/** Notes why a request ends without a good answer, and says so. */
function refusal(thrown: unknown, context: RequestContext): Response {
  const failure = asFailure(thrown);
  context.log(failure.status >= 500 ? 'failed' : 'refused', failure.status, failure);
  return failureResponse(failure, context.id, context.finalHeaders());
}
