/** What a door knows about the other end and a web `Request` cannot say. */
export interface Connection {
  /** Address of the socket's other end, such as `203.0.113.7` or `2001:db8::1`. Empty when there is none (in process). */
  remoteAddress: string;
  /** Whether the connection is TLS. */
  encrypted: boolean;
  /** The raw request target below the mount, byte for byte as it came: `/chat`, never decoded or normalised. */
  target: string;
  /** Header names and values in turn, as they came, repetitions kept. */
  rawHeaders: readonly string[];
  /** The body, when something in front (such as `express.json()`) has read it already. */
  parsedBody?: unknown;
  /** Whether the door believes more addresses about the client than proxies have; only told to the operator. */
  trustsTooMuch?: boolean | undefined;
  /** The host app's own user, when it has authenticated the request. Only used by the `authenticate` option. */
  user?: unknown;
}
