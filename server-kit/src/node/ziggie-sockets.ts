import { Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { SOCKET_SUBPROTOCOL, socketCloseCodes } from '@ziggie/llm-protocol';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Connection } from '../connection.ts';
import type { ServerKit } from '../kit-types.ts';
import type { AcceptUpgrade } from '../ws/kit-socket.ts';
import { type Door, type DoorOptions, openDoor } from './door-options.ts';
import { Exchange } from './exchange.ts';
import { toWebRequest } from './node-request.ts';
import { nodeSocket } from './node-socket.ts';
import { problemResponse } from './problem-response.ts';
import { checkedPrefix, requestUrl, targetBelow } from './raw-target.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';

/** Where the kit's sockets are. */
export interface SocketMount extends DoorOptions {
  /** Where the kit is mounted, such as `/api/llm`: the socket is at `/api/llm/ws`. Default: at the root. */
  prefix?: string | undefined;
}

/** What upgrades are told by: a `node:http` or `node:https` server, or one of HTTP/2 that also speaks HTTP/1.1. */
export interface UpgradeSource {
  on(event: 'upgrade', listener: (req: IncomingMessage, socket: Duplex, head: Buffer) => void): unknown;
  off(event: 'upgrade', listener: (req: IncomingMessage, socket: Duplex, head: Buffer) => void): unknown;
  listenerCount(event: 'upgrade' | 'connect'): number;
}

/** Most fragments of one message. */
const maxFragments = 1024;
/** How long a peer may take to answer the closing handshake, in ms. */
const closeTimeoutMs = 5000;

/** One listener per server, however many kits are mounted on it. */
const mounts = new WeakMap<UpgradeSource, Set<Mount>>();
/** How to stop listening to a server. */
const silencers = new WeakMap<UpgradeSource, () => void>();

/**
 * Serves the kit's WebSocket beside those of the host app: an upgrade below the mount that is the kit's is taken, every
 * other one is left to the host's own listeners. When there are none, it is answered with 404, or it would hang.
 *
 * Gives how to take it away again, which closes its sockets.
 *
 * @example
 * const server = app.listen(3000);
 * ziggieSockets(server, kit, { prefix: '/api/llm' });
 *
 * @throws TypeError for a `prefix` that is not a plain path and for a `trustProxy` that trusts everybody.
 */
export function ziggieSockets(server: UpgradeSource, kit: ServerKit, options: SocketMount = {}): () => void {
  const mount = new Mount(kit, checkedPrefix(options.prefix ?? ''), openDoor(options));
  const known = mounts.get(server);
  const all = known ?? new Set<Mount>();
  all.add(mount);
  if (known === undefined) {
    const listener = (req: IncomingMessage, socket: Duplex, head: Buffer) =>
      void dispatch(server, [...all], req, socket, head);
    mounts.set(server, all);
    server.on('upgrade', listener);
    const stopRefusing = refuseConnects(server, all);
    silencers.set(server, () => {
      server.off('upgrade', listener);
      stopRefusing();
    });
  }
  return () => {
    mount.close();
    if (!all.delete(mount) || all.size > 0) return;
    silencers.get(server)?.();
    mounts.delete(server);
  };
}

async function dispatch(
  server: UpgradeSource,
  all: readonly Mount[],
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const isOthers = server.listenerCount('upgrade') > 1;
  for (const mount of all) {
    const target = targetBelow(req.url ?? '/', mount.prefix);
    // Decided before anything is awaited: two listeners must not both write to one socket.
    if (target === undefined || (isOthers && !/^\/ws(?:\?|$)/.test(target))) continue;
    if (await mount.take(req, socket, head, target)) return;
  }
  if (!isOthers)
    await refuseUpgrade(problemResponse('not_found', 'There is nothing at this address.'), socket);
}

type ConnectListener = (req: IncomingMessage, answer: ServerResponse | Duplex) => void;

/**
 * A WebSocket over HTTP/2 begins with an extended CONNECT (RFC 8441), which reaches a server that was made with
 * `enableConnectProtocol`. The kit's sockets are of HTTP/1.1: that is said, where Node would answer a bare 405.
 */
function refuseConnects(server: UpgradeSource, all: ReadonlySet<Mount>): () => void {
  // These speak no HTTP/2, and a listener would change what they do with a CONNECT.
  if (server instanceof HttpServer || server instanceof HttpsServer) return () => {};
  const source = server as unknown as {
    on(event: 'connect', listener: ConnectListener): unknown;
    off(event: 'connect', listener: ConnectListener): unknown;
  };
  const listener: ConnectListener = (req, answer) => {
    const isOthers = server.listenerCount('connect') > 1;
    if (!('writeHead' in answer)) {
      // HTTP/1.1 on the same port: what Node does when nobody listens.
      if (!isOthers) answer.destroy();
      return;
    }
    const isOurs = [...all].some(({ prefix }) =>
      /^\/ws(?:\?|$)/.test(targetBelow(req.url ?? '/', prefix) ?? ''),
    );
    if (!isOurs && isOthers) return;
    const detail = isOurs
      ? 'WebSockets are served over HTTP/1.1 only. Open one with an upgrade, on a server with allowHTTP1, or ask over HTTP/2 without a socket: its streams share one connection already.'
      : 'CONNECT is not answered here.';
    void new Exchange(req, answer, openDoor({})).send(problemResponse('method_not_allowed', detail));
  };
  source.on('connect', listener);
  return () => void source.off('connect', listener);
}

/** One kit on one server. */
class Mount {
  readonly #kit: ServerKit;
  readonly prefix: string;
  readonly #door: Door;
  readonly #open = new Set<WebSocket>();
  #server: WebSocketServer | undefined;

  constructor(kit: ServerKit, prefix: string, door: Door) {
    this.#kit = kit;
    this.prefix = prefix;
    this.#door = door;
  }

  /** Whether the upgrade was the kit's. */
  async take(req: IncomingMessage, socket: Duplex, head: Buffer, target: string): Promise<boolean> {
    const leaving = new AbortController();
    const onGone = () => leaving.abort();
    // Until the socket is somebody's, an error on it would end the process.
    socket.on('error', onGone).on('close', onGone);
    maskToken(req);
    try {
      const { request, connection } = this.#translate(req, target, leaving.signal);
      const outcome = await this.#kit.acceptSocket(request, connection, this.#accept(req, socket, head));
      if (outcome === undefined) return false;
      if (outcome !== 'accepted') await refuseUpgrade(outcome, socket);
    } catch {
      await refuseUpgrade(
        problemResponse('internal_error', 'The server failed while it handled the upgrade.'),
        socket,
      );
    } finally {
      socket.off('close', onGone);
    }
    return true;
  }

  /** Closes every socket of this mount. */
  close(): void {
    for (const socket of this.#open) socket.close(socketCloseCodes.unavailable, 'The server is restarting.');
  }

  #accept(req: IncomingMessage, wire: Duplex, head: Buffer): AcceptUpgrade {
    return ({ maxFrameBytes }) => {
      if (wire.destroyed) return undefined;
      this.#server ??= new WebSocketServer({
        noServer: true,
        clientTracking: false,
        perMessageDeflate: false,
        maxPayload: maxFrameBytes,
        maxFragments,
        closeTimeout: closeTimeoutMs,
        // A ticket is never echoed: it would stand in the answer.
        handleProtocols: (offered: Set<string>) =>
          offered.has(SOCKET_SUBPROTOCOL) ? SOCKET_SUBPROTOCOL : false,
      } as ConstructorParameters<typeof WebSocketServer>[0]);
      let opened: WebSocket | undefined;
      // It answers a request that is no handshake by itself.
      this.#server.handleUpgrade(req, wire, head, (socket) => {
        opened = socket;
      });
      if (opened === undefined) return undefined;
      const socket: WebSocket = opened;
      this.#open.add(socket);
      socket.on('close', () => this.#open.delete(socket));
      return nodeSocket(socket, wire);
    };
  }

  #translate(
    req: IncomingMessage,
    target: string,
    signal: AbortSignal,
  ): { request: Request; connection: Connection } {
    const encrypted = 'encrypted' in req.socket && req.socket.encrypted === true;
    const forwardedFor = req.headers['x-forwarded-for'];
    const connection: Connection = {
      remoteAddress: this.#door.clientAddress(
        req.socket.remoteAddress ?? '',
        Array.isArray(forwardedFor) ? forwardedFor.join(',') : forwardedFor,
      ),
      encrypted,
      target,
      rawHeaders: req.rawHeaders,
    };
    if (this.#door.trustsTooMuch) connection.trustsTooMuch = true;
    const { user } = req as { user?: unknown };
    if (user !== undefined) connection.user = user;
    return { request: toWebRequest(req, requestUrl('/ws', encrypted), signal, null), connection };
  }
}

/** Whoever logs `req.url` after us does not log a token. */
function maskToken(req: IncomingMessage): void {
  if (req.url?.includes('token=')) req.url = req.url.replace(/([?&]token=)[^&]*/g, '$1***');
}
