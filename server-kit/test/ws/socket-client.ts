import type { IncomingMessage } from 'node:http';
import type { ClientFrame, StreamEvent } from '@ziggie/llm-protocol';
import { WebSocket } from 'ws';
import { leaveLater } from '../stream-harness.ts';

/** What the server said about one request, and the rest. */
export class SocketClient {
  readonly socket: WebSocket;
  readonly events = new Map<string, StreamEvent[]>();
  /** Every frame, in order. */
  readonly frames: unknown[] = [];
  closed: { code: number; reason: string } | undefined;
  readonly #waiting = new Set<() => void>();

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as { id?: string; event?: StreamEvent };
      this.frames.push(frame);
      if (frame.id !== undefined && frame.event) {
        const events = this.events.get(frame.id) ?? [];
        events.push(frame.event);
        this.events.set(frame.id, events);
      }
      this.#wake();
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.#wake();
    });
    socket.on('error', () => {});
  }

  /** Opens a socket, which is gone after the test. Rejects with {@link RefusedUpgrade} when the server answers something else than 101. */
  static open(
    url: string,
    protocols: string[] = ['ziggie.v1'],
    headers: Record<string, string> = {},
  ): Promise<SocketClient> {
    const socket = new WebSocket(url, protocols, { headers, perMessageDeflate: true });
    leaveLater(() => socket.terminate());
    return new Promise((resolve, reject) => {
      const client = new SocketClient(socket);
      socket.on('open', () => resolve(client));
      socket.on('error', reject);
      socket.on('unexpected-response', (_request, response: IncomingMessage) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () =>
          reject(new RefusedUpgrade(response.statusCode ?? 0, text, response.headers)),
        );
      });
    });
  }

  send(frame: ClientFrame | Record<string, unknown> | string): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  of(id: string): StreamEvent[] {
    return this.events.get(id) ?? [];
  }

  text(id: string): string {
    return this.of(id)
      .map((event) => (event.type === 'text-delta' ? event.text : ''))
      .join('');
  }

  /** Resolves once the condition holds; rejects after 5 s. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(
          new Error(`Waited 5 s for ${condition}; last frames ${JSON.stringify(this.frames.slice(-3))}`),
        );
      }, 5000);
      this.#waiting.add(check);
      check();
    });
  }

  /** Resolves with the last event of a request. */
  async ended(id: string): Promise<StreamEvent> {
    const last = () => this.of(id).at(-1);
    await this.until(() => last()?.type === 'done' || last()?.type === 'error');
    return last() as StreamEvent;
  }

  async untilClosed(): Promise<{ code: number; reason: string }> {
    await this.until(() => this.closed !== undefined);
    return this.closed as { code: number; reason: string };
  }

  #wake(): void {
    for (const check of [...this.#waiting]) check();
  }
}

/** The server said no before any 101. */
export class RefusedUpgrade extends Error {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];

  constructor(status: number, body: string, headers: IncomingMessage['headers']) {
    super(`The upgrade was answered with ${status}.`);
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** The refusal of an upgrade that must not succeed. */
export async function refusalOf(opening: Promise<SocketClient>): Promise<RefusedUpgrade> {
  try {
    (await opening).socket.terminate();
  } catch (thrown) {
    if (thrown instanceof RefusedUpgrade) return thrown;
    throw thrown;
  }
  throw new Error('The upgrade was accepted.');
}
