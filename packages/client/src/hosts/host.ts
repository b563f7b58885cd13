import { parseJson } from '@ziggie/llm-protocol';
import { readText } from '../http/read-text.ts';
import type { ByteSource, Transport, TransportRequest, TransportResponse } from '../http/transport.ts';
import type { Clock } from '../types.ts';
import { Breaker } from './breaker.ts';

/** A list of a few models is well below. */
const MAX_LIST_BYTES = 256 * 1024;
/** A host that is there says in less what it holds. */
const LOOK_MS = 1_000;

/** One of several servers: whether it answers, what it is busy with, which models it holds in memory. */
export class Host {
  readonly url: string;
  readonly breaker = new Breaker();
  readonly #inner: Transport;
  readonly #clock: Clock;
  #loaded = new Set<string>();
  #inFlight = 0;
  #lookedAt = -Infinity;

  constructor(url: string, inner: Transport, clock: Clock) {
    this.url = url;
    this.#inner = inner;
    this.#clock = clock;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get lookedAt(): number {
    return this.#lookedAt;
  }

  holds(model: string): boolean {
    return this.#loaded.has(model);
  }

  /** @throws What the transport throws. Whether the host answered is remembered either way. */
  async send(request: TransportRequest, model: string | undefined): Promise<TransportResponse> {
    this.breaker.began();
    this.#inFlight++;
    try {
      const response = await this.#inner.send(request);
      if (isAway(response.status)) this.breaker.failed(this.#clock.now());
      else {
        this.breaker.answered();
        if (model !== undefined && response.status < 300) this.#loaded.add(model);
      }
      return {
        ...response,
        header: (name) => response.header(name),
        body: this.#watched(response.body, request),
      };
    } catch (error) {
      this.#inFlight--;
      this.#failed(request);
      throw error;
    }
  }

  /** Asks which models are in memory (`GET /api/ps`). A host that does not say so in a second counts as failing. */
  async look(request: TransportRequest): Promise<void> {
    this.#lookedAt = this.#clock.now();
    const leaving = new AbortController();
    const cancel = this.#clock.setTimer(() => leaving.abort(), LOOK_MS);
    // A `fetch` that ignores its signal must not hold the request that waits for this.
    const gone = new Promise<never>((_, reject) => {
      leaving.signal.addEventListener('abort', () => reject(leaving.signal.reason));
    });
    try {
      const models = await Promise.race([this.#modelsInMemory(request, leaving.signal), gone]);
      if (models !== undefined) this.#loaded = models;
    } catch {
      this.#loaded.clear();
      this.breaker.failed(this.#clock.now());
    } finally {
      cancel();
      gone.catch(() => {});
      leaving.abort();
    }
  }

  async #modelsInMemory(
    { headers: { authorization } }: TransportRequest,
    signal: AbortSignal,
  ): Promise<Set<string> | undefined> {
    const { status, body } = await this.#inner.send({
      method: 'GET',
      url: `${this.url}/api/ps`,
      headers: { accept: 'application/json', ...(authorization === undefined ? {} : { authorization }) },
      signal,
      onConnected: () => {},
    });
    if (signal.aborted) body.close();
    const { models } = parseJson(await readText(body, MAX_LIST_BYTES)) as { models?: { name?: unknown }[] };
    if (status === 200 && Array.isArray(models)) return new Set(models.map((one) => `${one?.name}`));
    return undefined;
  }

  /** Counts the answer as under way until it was read or left. */
  #watched(body: ByteSource, request: TransportRequest): ByteSource {
    let isOver = false;
    const over = (): void => {
      if (!isOver) this.#inFlight--;
      isOver = true;
    };
    return {
      read: () =>
        body.read().then(
          (piece) => {
            if (piece.value === undefined) over();
            return piece;
          },
          (error: unknown) => {
            if (!isOver) this.#failed(request);
            over();
            throw error;
          },
        ),
      close() {
        over();
        body.close();
      },
    };
  }

  /** What the caller ended is nobody's failure, unless it was a limit that ran out. */
  #failed({ signal }: TransportRequest): void {
    const isLeft =
      signal.aborted && !/timeout/.test((signal.reason as { code?: string } | undefined)?.code ?? '');
    if (isLeft) this.breaker.left();
    else this.breaker.failed(this.#clock.now());
  }
}

/** Statuses with which another host may help: this one, or what stands in front of it, has nothing to answer with. */
export function isAway(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}
