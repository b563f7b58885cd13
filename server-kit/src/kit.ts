import { type Answer, dropAnswer, offerDirectly, toResponse } from './answer/answer.ts';
import type { Admission } from './auth/credential-watch.ts';
import type { Revocations } from './auth/revocations.ts';
import { Warming } from './cache/warming.ts';
import type { Connection } from './connection.ts';
import { RequestContext } from './context.ts';
import { Doctor } from './doctor/doctor.ts';
import { asFailure, failureAnswer, KitFailure, shuttingDown } from './failure.ts';
import type { Keys } from './keys/keys.ts';
import { settingsOf } from './kit-options.ts';
import { type KitParts, kitParts } from './kit-parts.ts';
import type { KitGauges, ServerKit, ServerKitOptions } from './kit-types.ts';
import { type LastingParts, lastingParts, storesOf } from './lasting-parts.ts';
import { admit, meet } from './pipeline.ts';
import { headerOf } from './request/direct-request.ts';
import { addCorsHeaders, addPreflightHeaders } from './request/origin.ts';
import { requestIdOf } from './request/request-id.ts';
import { pathOf } from './request/target.ts';
import { allowedMethods, type Route, routeFor, routesAt } from './routes/route-table.ts';
import { isServed, serveRoute } from './routes/serve-route.ts';
import { writeFailure } from './surfaces/surfaces.ts';
import { canonicalName } from './upstream/model-name.ts';
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
    this.#lasting = lastingParts(settings, () => this.#closing !== undefined);
    this.#lasting.shepherd.onLoaded = (upstream, model, loadMs) =>
      this.#parts.settings.requestMetrics?.loaded(upstream, canonicalName(model), loadMs);
    this.#parts = kitParts(settings, this.#lasting);
    this.#lasting.watch.askAt((admission) => this.#parts.identity.isTakenBack(admission));
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
    if (first === undefined || !isServed(first, this.#parts.settings)) return undefined;
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
    if (route?.operation !== 'socket' || !isServed(route, this.#parts.settings)) return undefined;
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
    this.#lasting.watch.stop();
    await this.#lasting.upstreams.close();
  }

  /** Writes down what the old parts have to write, when it is quiet. */
  async #retire(parts: KitParts): Promise<void> {
    await parts.identity.close().catch(() => {});
    if (parts.settler !== this.#parts.settler) await this.#lasting.leases.idle();
    this.#retired.delete(parts);
    if (parts.settler !== this.#parts.settler) await parts.settler.close();
  }

  #answer(route: Route, request: Request, connection: Connection, context: RequestContext): Promise<Answer> {
    const serve = () => {
      context.admission = this.#admission(request, connection, context);
      return serveRoute(this.#parts, this.#sockets, route, request, connection, context);
    };
    const admitted = admit(this.#parts.pipeline, request, connection, context);
    return admitted instanceof Promise ? admitted.then(serve) : serve();
  }

  #admission(request: Request, connection: Connection, context: RequestContext): Admission | undefined {
    const { principal, id: requestId } = context;
    if (principal === undefined) return undefined;
    const { authenticate, clock } = this.#parts.settings;
    const isOfHost = authenticate !== undefined && principal.keyId === undefined;
    return { request, connection, principal, admittedAtMs: clock.wallNow(), isOfHost, requestId };
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

/** Notes why a request ends without a good answer, and says so. */
function refusal(thrown: unknown, context: RequestContext): Answer {
  const failure = asFailure(thrown);
  context.log(failure.status >= 500 ? 'failed' : 'refused', failure.status, failure);
  const write = writeFailure[context.route.surface ?? 'native'];
  return failureAnswer(failure, context.id, context.finalHeaders(), write);
}
