import { connect, type Socket } from 'node:net';

/** What came over a connection, as it was. */
export interface RawAnswer {
  /** Everything, before any decoding; bytes as latin1. */
  bytes: string;
  /** How the connection ended, or that it is still open. */
  ending: 'fin' | 'reset' | 'open' | 'refused';
  /** The chunks of the body, when it is chunked; else its bytes in one. */
  chunks: string[];
  /** Whether the chunked body had its last chunk. */
  complete: boolean;
  body: string;
}

/** One connection to a stand-in, without an HTTP client that would mend what it sees. */
export class RawConnection {
  readonly #socket: Socket;
  #bytes = '';
  #ending: RawAnswer['ending'] = 'open';
  #watchers = new Set<() => void>();

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.#socket.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.toString('latin1');
      this.#changed();
    });
    this.#socket.on('end', () => this.#end('fin'));
    this.#socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#end(error.code === 'ECONNREFUSED' ? 'refused' : 'reset'),
    );
  }

  send(path: string, body: object): void {
    const text = JSON.stringify(body);
    this.#socket.write(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    );
  }

  /** Resolves when the condition holds of what came so far. */
  until(condition: (answer: RawAnswer) => boolean): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#watchers.delete(look);
        reject(new Error(`Nothing fits among ${JSON.stringify(this.answer).slice(0, 600)}`));
      }, 8000);
      const look = () => {
        if (!condition(this.answer)) return;
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve(this.answer);
      };
      this.#watchers.add(look);
      look();
    });
  }

  get answer(): RawAnswer {
    const headEnd = this.#bytes.indexOf('\r\n\r\n');
    const head = this.#bytes.slice(0, Math.max(0, headEnd)).toLowerCase();
    const rest = headEnd === -1 ? '' : this.#bytes.slice(headEnd + 4);
    const { chunks, complete } = head.includes('transfer-encoding: chunked')
      ? dechunk(rest)
      : { chunks: rest === '' ? [] : [rest], complete: true };
    return { bytes: this.#bytes, ending: this.#ending, chunks, complete, body: chunks.join('') };
  }

  get length(): number {
    return this.#bytes.length;
  }

  close(): void {
    this.#socket.destroy();
  }

  #end(how: RawAnswer['ending']): void {
    if (this.#ending === 'open') this.#ending = how;
    this.#changed();
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

function dechunk(text: string): { chunks: string[]; complete: boolean } {
  const chunks: string[] = [];
  for (let at = 0; at < text.length; ) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd === -1) break;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (size === 0) return { chunks, complete: true };
    chunks.push(text.slice(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return { chunks, complete: false };
}
