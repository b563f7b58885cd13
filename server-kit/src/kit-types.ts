import type { ContinuationOptions } from './answer/continuation.ts';
import type { JwtOptions, KeyOptions } from './auth/auth-types.ts';
import type { Permission, RoleTable } from './auth/permissions.ts';
import type { RevocationStore } from './auth/revocation-store.ts';
import type { Revocations } from './auth/revocations.ts';
import type { CacheOptions } from './cache/cache-options.ts';
import type { CacheStore } from './cache/cache-store.ts';
import type { Clock } from './clock.ts';
import type { Connection } from './connection.ts';
import type { ContentOptions } from './content/content-options.ts';
import type { DiscoveryOptions } from './discovery/upstream-discovery.ts';
import type { KeyStore } from './keys/key-store.ts';
import type { Keys } from './keys/keys.ts';
import type { LimitRule, ModelPrice } from './limits/limit-rules.ts';
import type { LimitStore } from './limits/limit-store.ts';
import type { Logger } from './log/logger.ts';
import type { ModelAdminOptions } from './models/model-admin-options.ts';
import type { QueueOptions } from './queue/queue-options.ts';
import type { RoutingOptions } from './routing/routing-options.ts';
import type { ResumeOptions } from './streams/stream-settings.ts';
import type { StreamStore } from './streams/stream-store.ts';
import type { HedgingOptions } from './upstreams/hedging.ts';
import type { UpstreamOptions } from './upstreams/upstream-settings.ts';
import type { AcceptUpgrade, UpgradeOutcome } from './ws/kit-socket.ts';
import type { SocketOptions } from './ws/socket-settings.ts';
import type { TicketStore } from './ws/ticket-store.ts';

/** Who is asking, as the verifier established it; never from a body. */
export interface Principal {
  /** Unique for the person or program: limits and logs count by it. */
  id: string;
  roles: readonly string[];
  /** Whose member it is: limits can be per tenant. */
  tenant?: string | undefined;
  /** The API key it came with. */
  keyId?: string | undefined;
  /** Cuts down what the roles allow. Default not at all. */
  scopes?: readonly Permission[] | undefined;
  /**
   * Cuts down the models that the roles allow: names, or beginnings such as `llama3*`, which go
   * over no slash (`team/*` is all of `team`). Default not at all.
   */
  models?: readonly string[] | undefined;
  /**
   * When the credential ends, in ms since 1970: a WebSocket is closed then, an answer over HTTP is finished. Left out when it
   * does not end.
   */
  expiresAtMs?: number | undefined;
}

/** Where what the kit keeps is kept. What is left out lives in the memory of this process. */
export interface Stores {
  /** API keys. */
  keys?: KeyStore | undefined;
  /** Rates, quotas and what is held at the moment. */
  limits?: LimitStore | undefined;
  /** Tokens that ended before their time. */
  revocations?: RevocationStore | undefined;
  /** One-use tickets of WebSockets, which may be taken by another process than made them. */
  tickets?: TicketStore | undefined;
  /** Running and finished answers, for readers who come back to another process. Without it only the one that writes has them. */
  streams?: StreamStore | undefined;
  /** Answers that are kept for those who ask the same. */
  cache?: CacheStore | undefined;
}

/** Settings of {@link ServerKit}. */
export interface ServerKitOptions {
  /** The model servers, at least one unless `discovery` finds them. A model is answered by any that has it. */
  upstreams: readonly UpstreamOptions[];
  /** Model servers that come and go, beside those of `upstreams`. Each is used once it has answered. */
  discovery?: DiscoveryOptions | undefined;
  /** How callers prove who they are. Without `auth` and `authenticate` nobody gets in. */
  auth?:
    | {
        /** One issuer of tokens, or several. */
        jwt?: JwtOptions | readonly JwtOptions[] | undefined;
        /** API keys that the kit makes and checks. */
        keys?: KeyOptions | undefined;
      }
    | undefined;
  /**
   * The host app's own check instead of `auth.jwt`: a principal, or `null` to refuse. Requests other than GET then
   * need a same-origin `Origin`. API keys of `auth.keys` are checked by the kit all the same.
   */
  authenticate?:
    | ((request: Request, connection: Connection) => Promise<Principal | null> | Principal | null)
    | undefined;
  /**
   * What each role may do. Default: `user` may chat, list models and handle its own keys, `admin` everything. A role that is
   * not in the table allows nothing.
   */
  roles?: RoleTable | undefined;
  /** Default: the memory of this process. */
  stores?: Stores | undefined;
  /**
   * What tokens cost, by model name, beginning (`llama3*`, over slashes too) or `*`; the first that fits counts. For `cost`
   * limits.
   */
  prices?: Readonly<Record<string, ModelPrice>> | undefined;
  limits?:
    | {
        /** Default 60, with the same burst; `Infinity` for none. */
        requestsPerMinute?: number | undefined;
        /** Answers being written at once per principal. Default 8; `Infinity` for no limit. */
        maxInFlight?: number | undefined;
        /** Default 1 MiB. */
        maxBodyBytes?: number | undefined;
        /** With images. Default 20 MiB. */
        maxImageBodyBytes?: number | undefined;
        /** Requests per address and minute, before any credential is looked at. Default 600. */
        requestsPerMinutePerAddress?: number | undefined;
        /** Credentials per address (IPv6: a /64) and minute that may be wrong. Default 20. */
        failedSignInsPerMinute?: number | undefined;
        /** Further limits, each atomic with the others. At most 64. */
        rules?: readonly LimitRule[] | undefined;
        /** Whose calendar days and months follow. Default `UTC`. */
        timeZone?: string | undefined;
      }
    | undefined;
  /** How requests wait when every place for their model is taken. */
  queue?: QueueOptions | undefined;
  /**
   * Asks a second model server that has the model in memory while the first one is silent; whoever begins first answers, the
   * other is let go of at once. Counts against the budget of second tries (one of ten requests), and is never in the way of
   * somebody who waits. Default off.
   */
  hedging?: HedgingOptions | undefined;
  /**
   * Lets another Ollama with the same file of the model go on with an answer whose server has died in the middle, where that
   * is exact: no tools, no format, no thinking; `/chat` (and `/generate` with `raw`), on every surface. Elsewhere such an
   * answer ends with a typed error. Once per answer, within the budget of second tries. Default off.
   */
  continuation?: ContinuationOptions | undefined;
  /** Which model answers to which name, and which one when that cannot. */
  routing?: RoutingOptions | undefined;
  /** WebSockets on `/ws`. They are served wherever a door has been given the host's upgrades. */
  sockets?: SocketOptions | undefined;
  /** How answers survive a lost connection, where a client asks for that; `false`: they do not. */
  resume?: ResumeOptions | false | undefined;
  /** Which answers are kept for those who ask the same, and shared while they are written. Default none. */
  cache?: CacheOptions | undefined;
  /**
   * How administrators change the models of the servers, on `/admin/models`; `false`: they do not, and nothing of it is
   * served. Default: as far as their permissions go, from the registry that each server has by itself.
   */
  modelAdmin?: ModelAdminOptions | false | undefined;
  /** What may be said to a model and by it. Default: anything. */
  content?: ContentOptions | undefined;
  /** Exact origins allowed to call from a browser. Default none. */
  cors?: { origins: readonly string[] } | undefined;
  timeouts?:
    | {
        /** Default 2 s. */
        connectMs?: number | undefined;
        /** Default 5 min, from the end of the load. Also how long unloading and deleting a model may take. */
        firstTokenMs?: number | undefined;
        /** Default 10 min. Also how long a model server may say nothing of a pull. */
        loadMs?: number | undefined;
        /** Default 60 s, 180 s with tools or a format. */
        idleMs?: number | undefined;
        /** A byte at least this often on an open stream. Default 10 s. */
        heartbeatMs?: number | undefined;
        /** How long `close` waits for running answers. Default 30 s. */
        drainMs?: number | undefined;
      }
    | undefined;
  /** Looks at the set-up on the first request and says in the log what is wrong with it, each thing once. Default true. */
  doctor?: boolean | undefined;
  /** Counts for Prometheus on `/metrics`, for those who have `metrics:read`. Default true. */
  metrics?: boolean | undefined;
  /**
   * One line per request. A pino logger fits. Default: only failures of the kit itself and of `authenticate`, to
   * `console.error`, and what a discovery meets, to `console.warn`. What it throws is lost: nothing fails for its log line.
   */
  logger?: Logger | undefined;
  clock?: Clock | undefined;
}

/** Counts that must be 0 when nothing runs. */
export interface KitGauges {
  /** Requests between admission and their last byte. */
  activeRequests: number;
  /** Open requests to upstreams. */
  openUpstream: number;
  /** Running timers of requests, of lines and of loads. */
  timers: number;
  /** Requests that wait for a place. */
  queued: number;
  /** Open WebSockets. */
  sockets: number;
}

/** The kit: `Request` in, `Response` out. Doors for Node hosts are in `/node`, `/express` and `/fastify`. */
export interface ServerKit {
  /** Answers a request. `undefined`: not a path of ours, the host app goes on. Never throws. */
  handle(request: Request, connection: Connection): Promise<Response | undefined>;
  /**
   * Answers an upgrade to `/ws`. `undefined`: not an address of ours, the host app goes on; a `Response`: refused, to be
   * written before any 101; `accepted`: `accept` was called. Never throws. Doors call it (`ziggieSockets`).
   */
  acceptSocket(request: Request, connection: Connection, accept: AcceptUpgrade): Promise<UpgradeOutcome>;
  /** Makes, lists and ends API keys. */
  readonly keys: Keys;
  /** Ends tokens before their time. */
  readonly revocations: Revocations;
  gauges(): KitGauges;
  /**
   * Takes other options, all of them, for every request from now on. A running answer goes on under those it began with;
   * open sockets stay and their credentials are looked at again. What was counted stays, and so do stores that the new
   * options do not name. `clock` cannot change.
   *
   * @throws {TypeError} when an option is not valid; then nothing has changed.
   */
  reload(options: ServerKitOptions): void;
  /**
   * Refuses new work with 503 and Retry-After, lets answers finish for `drainMs`, then ends them with a typed error.
   * WebSockets close with 4503, each when its answers are out.
   */
  close(options?: { drainMs?: number }): Promise<void>;
}
