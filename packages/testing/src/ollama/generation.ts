import type { Script, Step } from '../types.ts';
import { Cut, HttpFailure } from './http-failure.ts';
import { Lease } from './lease.ts';
import { hashText, randomText, seededRandom } from './random.ts';
import type { RunnerRequest } from './scheduler.ts';
import { sleep } from './sleep.ts';
import { StopFilter } from './stop-filter.ts';
import { tokenize } from './tokens.ts';
import type { World } from './world.ts';

/** What a model is asked to write, and how. */
export interface GenerationRequest extends RunnerRequest {
  steps: Script;
  promptTokens: number;
  /** Most tokens to write. */
  numPredict: number;
  stops: readonly string[];
  /** `false` leaves thinking out. */
  think: boolean;
}

/** The figures of the last record, in milliseconds of the clock. */
export interface Figures {
  totalMs: number;
  loadMs: number;
  promptTokens: number;
  prefillMs: number;
  tokens: number;
  decodeMs: number;
}

/** What a generation brings forth. Each piece but `raw` is one record. */
export type Piece =
  | { kind: 'thinking'; text: string }
  | { kind: 'text'; text: string }
  | { kind: 'tool'; id: string; index: number; name: string; arguments: Record<string, unknown> }
  | { kind: 'raw'; bytes: string | Uint8Array }
  | { kind: 'end'; reason: 'stop' | 'length'; figures: Figures };

/**
 * Runs one generation: waits for the model and a slot, reads the prompt, plays the steps at their pace. The slot is free
 * again before the last piece comes out, and at once when the client leaves.
 *
 * @throws {HttpFailure} for a scripted error or a full line.
 * @throws {Cut} where a script breaks off.
 * @throws {ClientLeft} when the signal fires.
 */
export async function* runGeneration(
  world: World,
  request: GenerationRequest,
): AsyncGenerator<Piece, void, void> {
  const { clock, scheduler } = world;
  const startedMs = clock.now();
  const lease = new Lease(await scheduler.acquire(request), request.signal);
  const loadMs = clock.now() - startedMs;
  let end: Piece;
  try {
    await lease.takeSlot();
    const prefillFromMs = clock.now();
    await sleep(clock, world.prefillMsPerToken * request.promptTokens, request.signal);
    const decodeFromMs = clock.now();
    const player = new Player(world, request);
    yield* player.play();
    end = {
      kind: 'end',
      reason: player.reason,
      figures: {
        totalMs: clock.now() - startedMs,
        loadMs,
        promptTokens: request.promptTokens,
        prefillMs: decodeFromMs - prefillFromMs,
        tokens: player.tokens,
        decodeMs: clock.now() - decodeFromMs,
      },
    };
  } finally {
    lease.end();
  }
  yield end;
}

const ID_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** Plays the steps of one answer. */
class Player {
  tokens = 0;
  reason: 'stop' | 'length' = 'stop';
  readonly #world: World;
  readonly #request: GenerationRequest;
  readonly #filter: StopFilter;
  readonly #ids: () => number;
  #msPerToken: number;
  #dueMs: number;
  #calls = 0;
  #over = false;

  constructor(world: World, request: GenerationRequest) {
    this.#world = world;
    this.#request = request;
    this.#filter = new StopFilter(request.stops);
    this.#ids = seededRandom(hashText(JSON.stringify(request.steps)));
    this.#msPerToken = 1000 / world.tokensPerSecond;
    this.#dueMs = world.clock.now();
  }

  async *play(): AsyncGenerator<Piece, void, void> {
    for (const step of this.#request.steps) {
      yield* this.#step(step);
      if (this.#over) return;
    }
    const held = this.#filter.end();
    if (held !== '') yield* this.#emit({ kind: 'text', text: held });
  }

  async *#step(step: Step): AsyncGenerator<Piece, void, void> {
    switch (step.kind) {
      case 'say':
        for (const token of tokenize(step.text)) {
          yield* this.#text(token);
          if (this.#over) return;
        }
        return;
      case 'think':
        if (!this.#request.think) return;
        for (const text of tokenize(step.text)) {
          yield* this.#emit({ kind: 'thinking', text });
          if (this.#over) return;
        }
        return;
      case 'callTool':
        yield* this.#emit({
          kind: 'tool',
          id: `call_${randomText(this.#ids, ID_ALPHABET, 8)}`,
          index: this.#calls++,
          name: step.name,
          arguments: step.arguments,
        });
        return;
      case 'huge':
        yield* this.#text('a'.repeat(step.characters));
        return;
      case 'garbage':
        yield { kind: 'raw', bytes: step.bytes };
        return;
      case 'slow':
        this.#msPerToken = 1000 / step.tokensPerSecond;
        this.#dueMs = this.#world.clock.now();
        return;
      case 'stall':
        await sleep(this.#world.clock, step.ms ?? Number.POSITIVE_INFINITY, this.#request.signal);
        this.#dueMs = this.#world.clock.now();
        return;
      case 'error':
        throw new HttpFailure(step.status, step.message, {
          fromRunner: true,
          body: step.body,
          headers: step.headers,
        });
      case 'cut':
        throw new Cut(step.how);
    }
  }

  async *#text(token: string): AsyncGenerator<Piece, void, void> {
    const { text, stopped } = this.#filter.push(token);
    if (text !== '') yield* this.#emit({ kind: 'text', text });
    if (stopped) this.#over = true;
  }

  async *#emit(piece: Piece): AsyncGenerator<Piece, void, void> {
    const { clock } = this.#world;
    if (this.tokens >= this.#request.numPredict) {
      this.#over = true;
      this.reason = 'length';
      return;
    }
    this.#dueMs += this.#msPerToken;
    await sleep(clock, this.#dueMs - clock.now(), this.#request.signal);
    this.tokens++;
    yield piece;
  }
}
