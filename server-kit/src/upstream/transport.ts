import type { StopSignal } from '../stop.ts';
import type { Waiter } from '../waiter.ts';

/** One request to a model server. The header set is the transport's own; nothing of a caller's request passes. */
export interface UpstreamRequest {
  method: 'GET' | 'POST' | 'DELETE';
  /** Path below the upstream's URL, such as `/api/chat`. */
  path: string;
  /** JSON text. */
  body?: string | undefined;
  /** Closes the connection, in every phase. */
  signal: StopSignal;
}

/**
 * Bytes of a body: those of `bytes` from `from` up to `to`. The rest of the buffer is somebody else's, and so are the piece
 * and its bytes when {@link UpstreamBody.take} is called again for any body, or the waiter returns: nobody keeps one.
 */
export interface BodyPiece {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
}

/**
 * The body of an answer, pulled piece by piece; what is not pulled is not read from the socket. Either with `take`, which
 * costs no promise per piece, or with `read`.
 */
export interface UpstreamBody {
  /**
   * The next bytes that are here, `null` at the clean end, `undefined` while there are none: then the waiter is told once
   * when it is worth asking again. Throws when the connection broke, behind what came before. A piece is good until the
   * next one is taken, of whatever body, and no longer than the waiter is being told: whoever keeps bytes copies them.
   */
  take(): BodyPiece | null | undefined;
  waiter: Waiter | undefined;
  /** The next bytes, `null` at the clean end. Rejects when the connection broke. One call at a time. */
  read(): Promise<Uint8Array | null>;
  /** Closes the connection of a body that is not wanted any more. Harmless after its end. */
  cancel(): void;
}

/** An answer of a model server. */
export interface UpstreamAnswer {
  status: number;
  contentType: string;
  retryAfter: string | undefined;
  /** The server's clock, as it says it. */
  date?: string | undefined;
  body: UpstreamBody;
}

/** Carries requests to one model server. */
export interface Transport {
  /** Rejects with {@link ConnectFailed} when no connection stood, with another error when it broke. */
  send(request: UpstreamRequest): Promise<UpstreamAnswer>;
  /** Requests that are open right now. */
  readonly open: number;
  close(): Promise<void>;
}

/** No connection could be made, so nothing was sent. */
export class ConnectFailed extends Error {
  override readonly name = 'ConnectFailed';
}
