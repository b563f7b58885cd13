import { ProtocolError, type StreamEventBody } from '@ziggie/llm-protocol';
import { OllamaDecoder } from '@ziggie/llm-protocol/ollama';
import type { AnswerFilter } from '../content/content.ts';
import type { RequestContext } from '../context.ts';
import type { Settings } from '../kit-options.ts';
import type { Lease } from '../lease.ts';
import { outrunFailure } from '../limits/limit-failure.ts';
import type { Meter } from '../limits/meter.ts';
import { recordFailure, streamFailure, upstreamFailure } from '../upstream/failures.ts';
import type { ModelCatalog } from '../upstream/model-catalog.ts';
import type { Transport } from '../upstream/transport.ts';
import { PhaseClock } from './phase-clock.ts';
import { UpstreamRecords } from './upstream-records.ts';

/** Longest time from the first token to the end, in ms: 15 min. */
const maxWritingMs = 900_000;
/** How often a model that loads is asked for, and how long a load must last to be worth telling, in ms. */
const loadTickMs = 1000;
const firstTickMs = 250;
/** How old a look at the memory may be by then: less than the first tick, and shared by streams that look together. */
const freshMs = 200;

/** What a run needs of the kit. */
export interface RunParts {
  settings: Settings;
  transport: Transport;
  catalog: ModelCatalog;
}

/** What is to be run. */
export interface RunRequest {
  /** The model as the caller named it, and as the upstream does. */
  asked: string;
  model: string;
  path: '/api/chat' | '/api/generate';
  body: string;
  /** Whether Ollama may hold text back (tools, formats). */
  holdsBack: boolean;
  /** What the answer goes through before anybody sees it. */
  filter?: AnswerFilter | undefined;
  /** Counts the answer, and says when it is longer than its quota. */
  meter?: Meter | undefined;
}

/** A record and the events it means. */
export interface Decoded {
  record: unknown;
  events: StreamEventBody[];
}

/**
 * One generation as the kit sees it: its records, its clocks, its model's load. How it is written to the caller is the
 * business of a stream or of a complete answer.
 */
export class Run {
  readonly request: RunRequest;
  readonly context: RequestContext;
  readonly lease: Lease;
  readonly #parts: RunParts;
  readonly #clock: PhaseClock;
  readonly #records: UpstreamRecords;
  readonly #decoder = new OllamaDecoder();
  readonly #startedAt: number;
  #loading = false;
  #wasSent = false;
  #firstTokenAt: number | undefined;
  /** Called while the model is being loaded, about once a second. */
  onLoading: ((elapsedMs: number, typicalMs: number | null) => void) | undefined;

  constructor(parts: RunParts, request: RunRequest, context: RequestContext, lease: Lease) {
    const { settings, transport } = parts;
    this.#parts = parts;
    this.request = request;
    this.context = context;
    this.lease = lease;
    this.#startedAt = settings.clock.now() - context.elapsedMs;
    this.#clock = new PhaseClock(settings.clock, lease);
    this.#clock.enter('first_token_timeout', settings.timeouts.firstTokenMs);
    this.#records = new UpstreamRecords(transport, request.path, request.body, lease, this.#clock);
    void this.#watchLoad();
  }

  /** Whether the model server was asked. */
  get wasSent(): boolean {
    return this.#wasSent;
  }

  get ended(): boolean {
    return this.#decoder.ended;
  }

  /** The next records with their events, maybe none yet. @throws {KitFailure} */
  async next(): Promise<Decoded[]> {
    this.#wasSent = true;
    const records = await this.#records.next();
    const decoded: Decoded[] = [];
    for (const record of records) {
      const events = this.#decode(record);
      for (const event of events) this.#see(event);
      // What is beyond the quota is not passed on.
      if (this.request.meter?.isOver) throw outrunFailure();
      const { filter } = this.request;
      decoded.push({ record, events: filter ? filter.apply(events) : events });
      if (this.#decoder.ended) {
        await this.#records.tail();
        break;
      }
    }
    return decoded;
  }

  #decode(record: unknown): StreamEventBody[] {
    const events = this.#decoded(record);
    const failed = events.find((event) => event.type === 'error');
    if (failed) throw streamFailure(failed.code, failed.retryable);
    return events;
  }

  #decoded(record: unknown): StreamEventBody[] {
    try {
      return this.#decoder.decode(record);
    } catch (thrown) {
      throw thrown instanceof ProtocolError ? recordFailure(thrown) : thrown;
    }
  }

  #see(event: StreamEventBody): void {
    this.request.meter?.see(event);
    switch (event.type) {
      case 'thinking-delta':
      case 'text-delta':
      case 'tool-call':
        if (this.#firstTokenAt === undefined) this.#begin();
        else this.#clock.touch();
        return;
      case 'usage':
        this.context.inputTokens = event.inputTokens;
        this.context.outputTokens = event.outputTokens;
        return;
      case 'done': {
        const { timings } = event;
        const now = this.#parts.settings.clock.now();
        timings.totalMs = rounded(now - this.#startedAt);
        if (this.#firstTokenAt !== undefined) timings.ttftMs = rounded(this.#firstTokenAt - this.#startedAt);
        if (this.#loading && timings.loadMs !== undefined) {
          this.#parts.catalog.learnLoadTime(this.request.model, timings.loadMs);
        }
      }
    }
  }

  /** The first token is here: only silence and sheer length can end the answer now. */
  #begin(): void {
    const { clock, timeouts } = this.#parts.settings;
    this.#firstTokenAt = clock.now();
    this.#parts.catalog.sawAnswer(this.request.model);
    this.#clock.enter('idle_timeout', this.request.holdsBack ? timeouts.idleWithToolsMs : timeouts.idleMs);
    this.lease.setTimer(() => {
      this.lease.fail(upstreamFailure('deadline_exceeded', `longer than ${maxWritingMs} ms`));
    }, maxWritingMs);
  }

  /** Tells while the model is brought into memory; that time is not the first token's. */
  async #watchLoad(): Promise<void> {
    const { catalog, settings } = this.#parts;
    if ((await catalog.isLoaded(this.request.model)) !== false || !this.#waits()) return;
    this.#loading = true;
    this.#clock.enter('load_timeout', settings.timeouts.loadMs);
    const look = async () => {
      if (!this.#waits()) return;
      if ((await catalog.isLoaded(this.request.model, freshMs)) === true) {
        if (this.#waits()) this.#clock.enter('first_token_timeout', settings.timeouts.firstTokenMs);
        return;
      }
      if (!this.#waits()) return;
      this.onLoading?.(
        rounded(settings.clock.now() - this.#startedAt),
        catalog.typicalLoadMs(this.request.model),
      );
      this.lease.setTimer(() => void look(), loadTickMs);
    };
    this.lease.setTimer(() => void look(), firstTickMs);
  }

  #waits(): boolean {
    return this.#firstTokenAt === undefined && !this.#decoder.ended && !this.lease.signal.aborted;
  }
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
