import type { Clock } from './clock.ts';
import type { Connection } from './connection.ts';
import type { ContentOptions } from './content/content-options.ts';
import type { Logger } from './log/logger.ts';
import type { AcceptUpgrade, UpgradeOutcome } from './ws/kit-socket.ts';
import type { SocketOptions } from './ws/socket-settings.ts';

/** One model server behind the kit. */
export interface UpstreamOptions {
  /** Such as `http://127.0.0.1:11434`. */
  url: string;
  /** How it speaks. Default `ollama`. */
  dialect?: 'ollama' | undefined;
}

/** Who is asking, as the verifier established it; never from a body. */
export interface Principal {
  /** Unique for the person or program: limits and logs count by it. */
  id: string;
  roles: readonly string[];
  /** When the credential ends, in ms since 1970: a WebSocket is closed then. Left out when it does not end. */
  expiresAtMs?: number | undefined;
}

/** JWT verification (HS256 for now). */
export interface JwtOptions {
  /** At least 32 bytes (RFC 7518 §3.2). */
  secret: string | Uint8Array;
  /** Expected `iss`; `false` to accept any, in words. */
  issuer: string | false;
  /** Expected `aud`; `false` to accept any. */
  audience: string | false;
  /** Claim that names the subject. Default `sub`. */
  subjectClaim?: string | undefined;
  /** Claim with a list of roles. Default `roles`; a token without it is role `user`. */
  rolesClaim?: string | undefined;
  /** Leeway for clocks that differ, in seconds. Default 30. */
  leewaySeconds?: number | undefined;
}

/** Settings of {@link ServerKit}. */
export interface ServerKitOptions {
  upstreams: readonly UpstreamOptions[];
  /** How callers prove who they are. Without `auth` and `authenticate` nobody gets in. */
  auth?: { jwt?: JwtOptions | undefined } | undefined;
  /** The host app's own check instead: a principal, or `null` to refuse. POSTs then need a same-origin `Origin`. */
  authenticate?:
    | ((request: Request, connection: Connection) => Promise<Principal | null> | Principal | null)
    | undefined;
  limits?:
    | {
        /** Default 60, with the same burst; `Infinity` for none. */
        requestsPerMinute?: number | undefined;
        /** Answers being written at once per principal. Default 8. */
        maxInFlight?: number | undefined;
        /** Default 1 MiB. */
        maxBodyBytes?: number | undefined;
        /** With images. Default 20 MiB. */
        maxImageBodyBytes?: number | undefined;
        /** Requests per address and minute, before any credential is looked at. Default 600. */
        requestsPerMinutePerAddress?: number | undefined;
      }
    | undefined;
  /** WebSockets on `/ws`. They are served wherever a door has been given the host's upgrades. */
  sockets?: SocketOptions | undefined;
  /** What may be said to a model and by it. Default: anything. */
  content?: ContentOptions | undefined;
  /** Exact origins allowed to call from a browser. Default none. */
  cors?: { origins: readonly string[] } | undefined;
  timeouts?:
    | {
        /** Default 2 s. */
        connectMs?: number | undefined;
        /** Default 5 min, from the end of the load. */
        firstTokenMs?: number | undefined;
        /** Default 10 min. */
        loadMs?: number | undefined;
        /** Default 60 s, 180 s with tools or a format. */
        idleMs?: number | undefined;
        /** A byte at least this often on an open stream. Default 10 s. */
        heartbeatMs?: number | undefined;
        /** How long `close` waits for running answers. Default 30 s. */
        drainMs?: number | undefined;
      }
    | undefined;
  /** One line per request. A pino logger fits. Default: only failures of the kit itself and of `authenticate`, to `console.error`. */
  logger?: Logger | undefined;
  clock?: Clock | undefined;
}

/** Counts that must be 0 when nothing runs. */
export interface KitGauges {
  /** Requests between admission and their last byte. */
  activeRequests: number;
  /** Open requests to upstreams. */
  openUpstream: number;
  /** Running timers of requests. */
  timers: number;
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
  gauges(): KitGauges;
  /**
   * Refuses new work with 503 and Retry-After, lets answers finish for `drainMs`, then ends them with a typed error.
   * WebSockets close with 4503, each when its answers are out.
   */
  close(options?: { drainMs?: number }): Promise<void>;
}
