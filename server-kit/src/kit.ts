import { type Answer, dropAnswer, jsonAnswer, offerDirectly, toResponse } from './answer/answer.ts';
import type { Revocations } from './auth/revocations.ts';
import { CacheCounts } from './cache/cache-counts.ts';
import { VectorIndex } from './cache/vector-index.ts';
import { Warming } from './cache/warming.ts';
import type { Connection } from './connection.ts';
import { RequestContext } from './context.ts';
import { UpstreamSources } from './discovery/upstream-sources.ts';
import { Doctor } from './doctor/doctor.ts';
import { embedRoute } from './embed/embed-route.ts';
import { asFailure, failureAnswer, KitFailure, shuttingDown } from './failure.ts';
import type { Keys } from './keys/keys.ts';
import { settingsOf } from './kit-options.ts';
import { type KitParts, kitParts, type LastingParts, storesOf } from './kit-parts.ts';
import type { KitGauges, Principal, ServerKit, ServerKitOptions } from './kit-types.ts';
import { LeaseBook } from './lease.ts';
import { metricsText } from './metrics/collect.ts';
import { METRICS_TYPE } from './metrics/exposition.ts';
import { RequestMetrics } from './metrics/request-metrics.ts';
import { PullJobs } from './models/pull-jobs.ts';
import { admit, meet } from './pipeline.ts';
import { Dispatcher } from './queue/dispatcher.ts';
import { LoadShepherd } from './queue/load-shepherd.ts';
import { headerOf } from './request/direct-request.ts';
import { addCorsHeaders, addPreflightHeaders } from './request/origin.ts';
import { requestIdOf } from './request/request-id.ts';
import { pathOf } from './request/target.ts';
import { answerRoute, selftestRoute } from './routes/answer-route.ts';
import { cacheRoute } from './routes/cache-routes.ts';
import {
  healthRoute,
  type JsonAnswer,
  liveRoute,
  modelsRoute,
  readyRoute,
  statusRoute,
} from './routes/info-routes.ts';
import { keyRoute } from './routes/key-routes.ts';
import { listRoute } from './routes/list-routes.ts';
import { meRoute, myLimitsRoute } from './routes/me-routes.ts';
import { modelAdminRoute, type PullStreamOperation, pullRoute } from './routes/model-admin-routes.ts';
import { queueRoute } from './routes/queue-routes.ts';
import { allowedMethods, type Operation, type Route, routeFor, routesAt } from './routes/route-table.ts';
import { upstreamRoute } from './routes/upstream-routes.ts';
import { resumeRoute, stopRoute } from './streams/resume-route.ts';
import { Streams } from './streams/streams.ts';
import { writeFailure } from './surfaces/surfaces.ts';
import { HttpTransport } from './upstream/http-transport.ts';
import { canonicalName } from './upstream/model-name.ts';
import { Hedging } from './upstreams/hedging.ts';
import { Upstreams } from './upstreams/upstreams.ts';
import { version } from './version.ts';
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
  readonly #lasting: LastingParts;
  readonly #sockets: SocketDesk;
  readonly #doctor = new Doctor();
  #options: ServerKitOptions;
  #parts: KitParts;
  /** Parts of options that were replaced, for the answers that began under them. */
  readonly #retired = new Set<KitParts>();
  readonly #warming: Warming;
  #closing: Promise<void> | undefined;

  constructor(options: ServerKitOptions) {
    const settings = settingsOf(options);
    this.#options = options;
    const isDraining = () => this.#closing !== undefined;
    const { clock } = settings;
    const upstreams = new Upstreams(
      settings.upstreams,
      ({ url, connectMs, apiKey, allowed }) => new HttpTransport(url, connectMs, apiKey, allowed),
      clock,
    );
    const queue = new Dispatcher(settings.queue, upstreams, clock);
    upstreams.waitingFor = (model) => queue.waitingFor(model);
    const leases = new LeaseBook(clock, isDraining);
    this.#lasting = {
      leases,
      streams: new Streams({
        leases,
        clock,
        shared: settings.stores.streams,
        maxBytes: settings.resume?.maxBytes,
      }),
      cacheCounts: new CacheCounts(),
      vectors: new VectorIndex(),
      stores: storesOf(settings),
      isDraining,
      hedging: new Hedging(),
      continued: { count: 0 },
      requestMetrics: new RequestMetrics(),
      upstreams,
      sources: new UpstreamSources(upstreams, clock),
      queue,
      pulls: new PullJobs(clock),
      shepherd: new LoadShepherd(clock, (model) => queue.waitingFor(canonicalName(model)) > 0),
    };
    this.#lasting.shepherd.onLoaded = (upstream, model, loadMs) =>
      this.#parts.settings.requestMetrics?.loaded(upstream, canonicalName(model), loadMs);
    this.#parts = kitParts(settings, this.#lasting);
    this.#sockets = new SocketDesk(this.#parts);
    this.#lasting.sources.take(settings.upstreams, settings.discovery);
    this.#warming = new Warming(this.#parts.answering);
    void this.#warming.run(settings.cache?.warm ?? []);
    offerDirectly(this, (request, connection) => this.#handle(request, connection));
  }

  get keys(): Keys {
    return this.#parts.identity.keys;
  }

  get revocations(): Revocations {
    return this.#parts.identity.revocations;
  }

  reload(options: ServerKitOptions): void {
    const { settings: before } = this.#parts;
    const given = settingsOf({ ...options, clock: before.clock });
    this.#lasting.stores = storesOf(given, this.#lasting.stores);
    const retired = this.#parts;
    this.#parts = kitParts(given, this.#lasting, retired);
    if (given.stores.streams) this.#lasting.streams.share(given.stores.streams);
    this.#lasting.sources.take(given.upstreams, given.discovery);
    this.#lasting.queue.reload(given.queue, this.#lasting.upstreams);
    this.#options = options;
    this.#doctor.reset();
    this.#sockets.reload(this.#parts);
    this.#retired.add(retired);
    void this.#retire(retired);
  }

  async handle(request: Request, connection: Connection): Promise<Response | undefined> {
    const answer = await this.#handle(request, connection);
    return answer && toResponse(answer);
  }

  async #handle(request: Request, connection: Connection): Promise<Answer | undefined> {
    const rows = routesAt(pathOf(connection.target));
    const [first] = rows;
    if (first === undefined || !this.#serves(first)) return undefined;
    const { clock, logger, corsOrigins, requestMetrics } = this.#parts.settings;
    const route = routeFor(rows, request.method);
    const context = new RequestContext(
      requestIdOf(request),
      request.method,
      route ?? first,
      clock,
      logger,
      requestMetrics,
    );
    if (this.#parts.settings.doctor) this.#doctor.see(this.#parts, this.#options, connection);
    addCorsHeaders(request, corsOrigins, context.headers);
    let answer: Answer;
    try {
      answer = route
        ? await this.#answer(route, request, connection, context)
        : await this.#otherMethod(rows, request, connection, context);
    } catch (thrown) {
      answer = refusal(thrown, context);
    }
    if (request.method !== 'HEAD') return answer;
    dropAnswer(answer);
    return { ...answer, body: null };
  }

  async acceptSocket(
    request: Request,
    connection: Connection,
    accept: AcceptUpgrade,
  ): Promise<UpgradeOutcome> {
    const route = routeFor(routesAt(pathOf(connection.target)), 'GET');
    if (route?.operation !== 'socket' || !this.#serves(route)) return undefined;
    const { clock, logger, requestMetrics } = this.#parts.settings;
    const context = new RequestContext(requestIdOf(request), 'GET', route, clock, logger, requestMetrics);
    try {
      await this.#sockets.accept(request, connection, accept, context);
      return 'accepted';
    } catch (thrown) {
      return toResponse(refusal(thrown, context));
    }
  }

  gauges(): KitGauges {
    const { leases, upstreams, queue, shepherd } = this.#lasting;
    return {
      activeRequests: leases.active,
      openUpstream: upstreams.openRequests,
      timers: leases.timers + queue.timers + shepherd.open,
      queued: queue.waiting,
      sockets: this.#sockets.open,
    };
  }

  close({ drainMs = this.#parts.settings.timeouts.drainMs }: { drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#drain(drainMs);
    return this.#closing;
  }

  async #drain(drainMs: number): Promise<void> {
    const { leases, queue, shepherd, pulls, sources } = this.#lasting;
    const { clock } = this.#parts.settings;
    pulls.close();
    this.#warming.close();
    // Whoever waits for a place would only begin now what must end soon.
    queue.close(shuttingDown());
    const cancel = clock.setTimer(() => leases.failAll(shuttingDown()), drainMs);
    this.#sockets.goAway();
    await leases.idle();
    cancel();
    await this.#lasting.streams.close();
    shepherd.close();
    this.#sockets.closeAll();
    for (const { settler, identity } of [...this.#retired, this.#parts]) {
      await settler.close();
      await identity.close();
    }
    sources.stop();
    await this.#lasting.upstreams.close();
  }

  /** Writes down what the old parts have to write, when it is quiet. */
  async #retire(parts: KitParts): Promise<void> {
    await parts.identity.close().catch(() => {});
    if (parts.settler !== this.#parts.settler) await this.#lasting.leases.idle();
    this.#retired.delete(parts);
    if (parts.settler !== this.#parts.settler) await parts.settler.close();
  }

  async #answer(
    route: Route,
    request: Request,
    connection: Connection,
    context: RequestContext,
  ): Promise<Answer> {
    await admit(this.#parts.pipeline, request, connection, context);
    const { operation } = route;
    if (operation === 'embed') return embedRoute(this.#parts.answering, request, connection, context);
    if (operation === 'resume-stream') {
      return resumeRoute(this.#parts.answering, request, connection, context);
    }
    if (isAnswering(operation)) return answerRoute(this.#parts.answering, request, connection, context);
    if (operation === 'pull-model' || operation === 'follow-pull') {
      const answer = await pullRoute(this.#parts.modelAdmin, operation, request, connection, context);
      return 'headers' in answer ? answer : informed(answer, context);
    }
    if (operation === 'metrics') {
      const text = metricsText(this.#parts.metricParts);
      context.log('ok', 200);
      const answer = jsonAnswer(200, text, context.finalHeaders());
      answer.headers.set('content-type', METRICS_TYPE);
      return answer;
    }
    if (operation === 'selftest') return selftestRoute(this.#parts.settings.clock, request, context);
    return informed(await this.#inform(operation, request, connection, context), context);
  }

  #serves({ operation, path }: Route): boolean {
    const { modelAdmin } = this.#parts.settings;
    if (modelAdmin === undefined && /^\/admin\/(?:models|jobs)(?:\/|$)/.test(path)) return false;
    if (operation === 'metrics') return this.#parts.settings.metrics;
    return (operation !== 'socket' && operation !== 'ticket') || this.#parts.settings.sockets.enabled;
  }

  async #inform(
    operation: Exclude<
      Operation,
      Answering | 'metrics' | 'selftest' | 'embed' | 'resume-stream' | PullStreamOperation
    >,
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
        return modelsRoute(this.#parts.info, context);
      case 'status':
        return statusRoute(this.#parts.info);
      case 'health':
        return healthRoute(this.#parts.info);
      case 'live':
        return liveRoute();
      case 'ready':
        return readyRoute(this.#parts.info);
      case 'version':
        return { status: 200, body: { version } };
      case 'ollama-tags':
      case 'ollama-ps':
      case 'ollama-show':
      case 'openai-models':
      case 'openai-model':
        return listRoute(this.#parts.info, operation, request, connection, context);
      case 'closed':
        throw new KitFailure(
          'forbidden',
          'Models are changed by administrators, on the addresses of the kit below /admin. This one is closed.',
        );
      case 'stop-stream':
        await stopRoute(this.#parts.answering, connection, context);
        return { status: 204, body: undefined };
      case 'me':
        return meRoute(context);
      case 'my-limits':
        return myLimitsRoute(this.#parts.me, context);
      case 'my-queue':
      case 'my-place':
      case 'leave-queue':
      case 'queue':
      case 'kick-from-queue':
      case 'reprioritise':
        return queueRoute(this.#parts.queueParts, operation, request, connection, context);
      case 'upstreams':
      case 'drain-upstream':
      case 'undrain-upstream':
      case 'probe-upstream':
        return upstreamRoute(this.#parts.upstreamParts, operation, request, connection);
      case 'fleet-models':
      case 'load-model':
      case 'unload-model':
      case 'delete-model':
      case 'pulls':
      case 'pull-state':
      case 'cancel-pull':
        return modelAdminRoute(this.#parts.modelAdmin, operation, request, connection, context);
      case 'cache':
      case 'purge-cache':
        return cacheRoute(this.#parts.cacheParts, operation, request, connection, context);
      default:
        return keyRoute(this.#parts.keyParts, operation, request, connection, context);
    }
  }

  /** A preflight of a listed origin, else 405. */
  async #otherMethod(
    rows: readonly Route[],
    request: Request,
    connection: Connection,
    context: RequestContext,
  ): Promise<Answer> {
    await meet(this.#parts.pipeline, connection, context);
    const allow = allowedMethods(rows);
    const isPreflight =
      request.method === 'OPTIONS' && headerOf(request, 'access-control-request-method') !== null;
    if (isPreflight && context.headers.has('access-control-allow-origin')) {
      addPreflightHeaders(context.headers, allow);
      context.log('ok', 204);
      return { status: 204, headers: context.finalHeaders(), body: null };
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

function informed({ status, body }: JsonAnswer, context: RequestContext): Answer {
  context.log('ok', status);
  const headers = context.finalHeaders();
  // A body of nothing has headers all the same: what was done must not be stored either.
  const answer = jsonAnswer(status, body === undefined ? '' : JSON.stringify(body), headers);
  return body === undefined ? { ...answer, body: null } : answer;
}

/** Notes why a request ends without a good answer, and says so. */
function refusal(thrown: unknown, context: RequestContext): Answer {
  const failure = asFailure(thrown);
  context.log(failure.status >= 500 ? 'failed' : 'refused', failure.status, failure);
  const write = writeFailure[context.route.surface ?? 'native'];
  return failureAnswer(failure, context.id, context.finalHeaders(), write);
}
