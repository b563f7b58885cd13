export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';

/** One HTTP request as it goes out. */
export interface TransportRequest {
  method: Method;
  url: string;
  headers: Readonly<Record<string, string>>;
  body?: string | Uint8Array | Blob | undefined;
  /** Closes the connection in every phase. */
  signal: AbortSignal;
  /** Called once when the connection stands, by transports that can tell. */
  onConnected: () => void;
  /** Told which host is asked, each time, by transports that have several. */
  onHost?: ((host: string) => void) | undefined;
}

/** The head of an answer and its bytes, not read yet. */
export interface TransportResponse {
  status: number;
  header(name: string): string | undefined;
  body: ByteSource;
}

/** What one read of a body gives: the next piece, or no value at the end. Bytes are lent: good until the next read. */
export interface Piece {
  readonly value?: Uint8Array | string | undefined;
}

/**
 * Bytes on demand: nothing is read ahead beyond the buffers of the platform. A carrier of text (a WebSocket) gives whole
 * NDJSON lines as strings.
 */
export interface ByteSource {
  /** The next piece, without a value at the end. One call at a time. The form is that of the platform's own readers. */
  read(): Promise<Piece>;
  /** Closes the connection if the end has not been reached. */
  close(): void;
}

/** What carries requests. Never follows redirects, never decides what a status means. */
export interface Transport {
  /** Whether `onConnected` is called. `fetch` cannot tell a slow connection from a slow answer. */
  readonly reportsConnection: boolean;
  /** Whether one connection carries many answers, so that a server which ends it ends many at once. */
  readonly isShared?: boolean | undefined;
  send(request: TransportRequest): Promise<TransportResponse>;
}
