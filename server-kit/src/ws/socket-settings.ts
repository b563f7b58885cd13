/** How WebSockets are served. */
export interface SocketOptions {
  /** `false` to serve none: `/ws` and `/ws/ticket` are then not the kit's. Default true. */
  enabled?: boolean | undefined;
  /** Open sockets per principal. Default 16. */
  maxPerPrincipal?: number | undefined;
  /** Open sockets of this process. Default 10,000. */
  maxOpen?: number | undefined;
  /** Requests at once on one socket; `limits.maxInFlight` counts beside it. Default 64. */
  maxRequestsPerSocket?: number | undefined;
  /** Longest frame of a client. Default `limits.maxBodyBytes`; raise it for images. */
  maxFrameBytes?: number | undefined;
  /** A reader that takes nothing for so long loses its answer, and a socket that takes nothing is cut off. Default 30 s. */
  stallTimeoutMs?: number | undefined;
  /** Lets a socket open without a credential that says `{"type":"auth","token":"…"}` within 5 s. Default false. */
  allowFirstFrameAuth?: boolean | undefined;
  /**
   * Takes `?token=` in the address. Every proxy on the way may write addresses into its log; the kit masks it in its own
   * and in `req.url`. Default false.
   */
  allowQueryToken?: boolean | undefined;
  /** Answers a bare `{"prompt":"…","model":"…"}` with Ollama's own records. Default false. */
  allowBareRequests?: boolean | undefined;
}

/** {@link SocketOptions} with every default in place. */
export interface SocketSettings {
  enabled: boolean;
  maxPerPrincipal: number;
  maxOpen: number;
  maxRequestsPerSocket: number;
  maxFrameBytes: number;
  stallTimeoutMs: number;
  allowFirstFrameAuth: boolean;
  allowQueryToken: boolean;
  allowBareRequests: boolean;
}

/** The options with their defaults. */
export function socketSettings(options: SocketOptions, maxBodyBytes: number): SocketSettings {
  return {
    enabled: options.enabled ?? true,
    maxPerPrincipal: options.maxPerPrincipal ?? 16,
    maxOpen: options.maxOpen ?? 10_000,
    maxRequestsPerSocket: options.maxRequestsPerSocket ?? 64,
    maxFrameBytes: options.maxFrameBytes ?? maxBodyBytes,
    stallTimeoutMs: options.stallTimeoutMs ?? 30_000,
    allowFirstFrameAuth: options.allowFirstFrameAuth ?? false,
    allowQueryToken: options.allowQueryToken ?? false,
    allowBareRequests: options.allowBareRequests ?? false,
  };
}
