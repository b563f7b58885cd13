import { socketCloseCodes } from '@ziggie/llm-protocol';
import type { Connection } from '../connection.ts';
import { RequestContext } from '../context.ts';
import { asFailure, KitFailure, shuttingDown } from '../failure.ts';
import type { Settings } from '../kit-options.ts';
import type { Principal } from '../kit-types.ts';
import { admit } from '../pipeline.ts';
import { newId } from '../request/request-id.ts';
import { pathOf } from '../request/target.ts';
import { promptReader } from '../routes/answer-route.ts';
import { type AnswerParts, answerWith } from '../routes/answer-with.ts';
import { type Route, routeFor, routesAt } from '../routes/route-table.ts';
import { openReader } from '../streams/resume-route.ts';
import { SharedAnswer } from '../streams/shared-answer.ts';
import type { AcceptUpgrade } from './kit-socket.ts';
import { SocketBook } from './socket-book.ts';
import {
  type CredentialParts,
  type Identity,
  SocketCredentials,
  withCredential,
} from './socket-credentials.ts';
import type { SocketRequest } from './socket-request.ts';
import { SocketSession } from './socket-session.ts';
import { checkUpgradeOrigin, upgradeCredential } from './upgrade-credential.ts';

/** How long a socket without a credential waits for its first frame, in ms. */
const firstFrameMs = 5000;
/** What the sockets need of the kit. */
export interface DeskParts extends CredentialParts {
  answering: AnswerParts;
}

/**
 * Opens sockets and runs their requests: an upgrade goes through the same stages as any request, each request on it goes
 * through them again as the principal of the socket.
 */
export class SocketDesk {
  #parts: DeskParts;
  readonly #book: SocketBook;
  readonly #credentials: SocketCredentials;
  readonly #upgrades = new WeakMap<SocketSession, { request: Request; connection: Connection }>();

  constructor(parts: DeskParts) {
    this.#parts = parts;
    const { clock, sockets } = parts.settings;
    this.#credentials = new SocketCredentials(parts);
    this.#book = new SocketBook(clock, sockets, (session, now) => this.#tick(session, now));
  }

  /** Other options: open sockets stay, their next request and their next look at the credential go by them. */
  reload(parts: DeskParts): void {
    this.#parts = parts;
    this.#book.bounds = parts.settings.sockets;
    this.#credentials.reload(parts);
  }

  get open(): number {
    return this.#book.open;
  }

  /** The answer of `POST /ws/ticket`. */
  ticket(request: Request, principal: Principal): Promise<{ ticket: string; expiresInMs: number }> {
    return this.#credentials.ticket(request, principal);
  }

  /** Lets an upgrade in. @throws {KitFailure} for a refusal, before any 101. */
  async accept(
    request: Request,
    connection: Connection,
    accept: AcceptUpgrade,
    context: RequestContext,
  ): Promise<void> {
    const { settings, pipeline } = this.#parts;
    const { sockets, corsOrigins, authenticate } = settings;
    if (pipeline.isDraining()) throw shuttingDown();
    const path = pathOf(connection.target);
    const credential = upgradeCredential(
      request,
      connection.target.slice(path.length),
      sockets.allowQueryToken,
    );
    const plain: Connection = { ...connection, target: path };
    checkUpgradeOrigin(
      request,
      connection.encrypted,
      corsOrigins,
      authenticate !== undefined && credential.kind === 'request',
    );
    const release = this.#book.hold();
    try {
      const isAnonymous =
        sockets.allowFirstFrameAuth &&
        credential.kind === 'request' &&
        !request.headers.has('authorization') &&
        authenticate === undefined;
      let identity: Identity | undefined;
      if (isAnonymous) await admit(pipeline, request, plain, asPublic(context, settings));
      else {
        await admit(
          {
            ...pipeline,
            authenticate: async () => {
              identity = await this.#credentials.identify(credential, request, plain);
              return identity.principal;
            },
          },
          request,
          plain,
          context,
        );
      }
      this.#open(request, plain, accept, identity);
      context.log('ok', 101);
    } finally {
      release();
    }
  }

  /** No new sockets; the open ones close when their answers are out. */
  goAway(): void {
    this.#book.goAway();
  }

  closeAll(): void {
    this.#book.closeAll(socketCloseCodes.unavailable, 'The server is restarting.');
  }

  #open(
    request: Request,
    connection: Connection,
    accept: AcceptUpgrade,
    identity: Identity | undefined,
  ): void {
    const { clock, sockets } = this.#parts.settings;
    if (identity) this.#book.count(identity.principal.id);
    const socket = accept({ maxFrameBytes: sockets.maxFrameBytes });
    if (socket === undefined) {
      if (identity) this.#book.uncount(identity.principal.id);
      return;
    }
    const session = new SocketSession(socket, {
      clock,
      settings: sockets,
      answer: (...more) => this.#answer(...more),
      resume: (...more) => this.#resume(...more),
      authenticate: (one, token) => this.#authenticate(one, token),
      onClosed: (one) => this.#book.remove(one),
    });
    this.#upgrades.set(session, { request, connection });
    this.#book.add(session);
    if (identity) {
      this.#credentials.hold(session, identity);
      return;
    }
    clock.setTimer(() => {
      if (session.principal === undefined)
        session.close(socketCloseCodes.timeout, 'No credential within 5 s.');
    }, firstFrameMs);
  }

  /** A token in a frame: the first one where that is allowed, or a newer one of the same principal. */
  async #authenticate(session: SocketSession, token: string): Promise<void> {
    const { pipeline } = this.#parts;
    const upgrade = this.#upgrades.get(session);
    if (!upgrade) return;
    const request = withCredential(upgrade.request, `Bearer ${token}`);
    const context = this.#context('/ws', 'GET');
    try {
      await admit(pipeline, request, upgrade.connection, context);
    } catch (thrown) {
      const failure = asFailure(thrown);
      context.log('refused', failure.status, failure);
      throw failure;
    }
    const { principal } = context;
    if (principal === undefined || session.closed) return;
    if (session.principal === undefined) {
      try {
        this.#book.count(principal.id);
      } catch {
        session.close(socketCloseCodes.rateLimited, 'Too many sockets.');
        return;
      }
    } else if (session.principal.id !== principal.id) {
      throw new KitFailure('forbidden', 'The token is of somebody else.');
    }
    const recheck = async () => this.#parts.pipeline.authenticate(request, upgrade.connection);
    this.#credentials.hold(session, { principal, recheck });
    context.log('ok', 101);
  }

  async #answer(
    session: SocketSession,
    operation: 'chat' | 'generate',
    body: Record<string, unknown>,
    request: SocketRequest,
  ): Promise<void> {
    const { pipeline, answering } = this.#parts;
    const upgrade = this.#upgrades.get(session);
    const target = `/${operation}`;
    const context = this.#context(target, 'POST');
    try {
      if (!upgrade) throw new TypeError('The socket has no upgrade.');
      // Cookies and the like stay with the upgrade: what is on the socket is the principal's.
      const web = new Request(`http://ziggie.invalid${target}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        signal: request.signal,
      });
      const connection: Connection = { ...upgrade.connection, target, rawHeaders: [], parsedBody: body };
      const authenticate = () => this.#credentials.stillGood(session);
      await admit({ ...pipeline, authenticate }, web, connection, context);
      const shared = new SharedAnswer(answering, web, context);
      await answerWith(
        answering,
        web,
        connection,
        context,
        promptReader(answering, context, null),
        async (run, form) => {
          request.begin(await shared.open(run, form));
        },
      );
    } catch (thrown) {
      this.#refuse(session, request, context, thrown);
    }
  }

  async #resume(
    session: SocketSession,
    { streamId, after }: { streamId: string; after: number },
    request: SocketRequest,
  ): Promise<void> {
    const { pipeline, answering } = this.#parts;
    const upgrade = this.#upgrades.get(session);
    const context = this.#context('/streams/_', 'GET');
    try {
      if (!upgrade) throw new TypeError('The socket has no upgrade.');
      const web = new Request('http://ziggie.invalid/streams/_', { signal: request.signal });
      const connection: Connection = { ...upgrade.connection, target: '/streams/_', rawHeaders: [] };
      const authenticate = () => this.#credentials.stillGood(session);
      await admit({ ...pipeline, authenticate }, web, connection, context);
      request.begin(await openReader(answering, streamId, after, request.signal, context));
    } catch (thrown) {
      this.#refuse(session, request, context, thrown);
    }
  }

  #refuse(session: SocketSession, request: SocketRequest, context: RequestContext, thrown: unknown): void {
    const failure = asFailure(thrown);
    context.log(failure.status >= 500 ? 'failed' : 'refused', failure.status, failure);
    request.fail(failure, context.id);
    if (failure.code === 'unauthorized') this.#end(session);
  }

  #tick(session: SocketSession, now: number): void {
    session.tick(now);
    if (session.closed || !this.#credentials.isDue(session, now)) return;
    this.#credentials.stillGood(session).catch((thrown: unknown) => {
      // A check that cannot be made right now (its store is down) ends nothing that is running.
      if (asFailure(thrown).status === 401) this.#end(session);
    });
  }

  #end(session: SocketSession): void {
    session.close(socketCloseCodes.unauthorized, 'The credential has ended. Come back with a new one.');
  }

  #context(path: string, method: string): RequestContext {
    const { clock, logger, requestMetrics } = this.#parts.settings;
    const route = routeFor(routesAt(path), method) as Route;
    return new RequestContext(newId('req'), 'WS', route, clock, logger, requestMetrics);
  }
}

/** The stages before a credential only. */
function asPublic(context: RequestContext, { clock, logger }: Settings): RequestContext {
  return new RequestContext(
    context.id,
    context.method,
    { ...context.route, permission: 'public' },
    clock,
    logger,
  );
}
