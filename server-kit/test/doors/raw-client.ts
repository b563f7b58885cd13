import { connect, type Socket } from 'node:net';

/** A client that speaks bytes: what a browser or a library would tidy up arrives here as it was sent. */
export class RawClient {
  readonly socket: Socket;
  /** Everything received, one character per byte. */
  received = '';
  /** Set when the connection was reset instead of ended. */
  error: NodeJS.ErrnoException | undefined;
  closed = false;
  readonly #waiting = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
      this.#wake();
    });
    socket.on('error', (error) => {
      this.error = error;
      this.#wake();
    });
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  static open(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new RawClient(socket)));
      socket.once('error', reject);
    });
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Resolves once what was received (or the state) satisfies the condition; rejects after 5 s. */
  until(condition: (client: RawClient) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!condition(this)) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(
          new Error(`Waited 5 s for ${condition}; received ${JSON.stringify(this.received.slice(0, 500))}`),
        );
      }, 5_000);
      this.#waiting.add(check);
      check();
    });
  }

  untilText(text: string): Promise<void> {
    return this.until((client) => client.received.includes(text));
  }

  leave(): void {
    this.socket.destroy();
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check();
  }
}

/** A request head and body as text, with a Host and, for a body, its length. */
export function requestText(
  method: string,
  target: string,
  { headers = [], body }: { headers?: readonly string[]; body?: string } = {},
): string {
  const length = body === undefined ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return [`${method} ${target} HTTP/1.1`, 'Host: app.test', ...headers, ...length, '', body ?? ''].join(
    '\r\n',
  );
}
