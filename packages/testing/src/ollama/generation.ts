import type { Script, Step } from '../script/step-types.ts';
import type { ContentPiece, EndPiece, Piece, ToolPiece } from '../wire/pieces.ts';
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
  /** After the thinking the prompt is read once more and the count begins anew: how Ollama constrains an answer. */
  startsAgain?: boolean | undefined;
  /** Tool calls come on the last record, with ids of llama-server. */
  native?: boolean | undefined;
}

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
  let player: Player;
  try {
    await lease.takeSlot();
    const prefillFromMs = clock.now();
    await sleep(clock, world.prefillMsPerToken * request.promptTokens, request.signal);
    player = new Player(world, request, { startedMs, loadMs, prefillMs: clock.now() - prefillFromMs });
    yield* player.play();
  } finally {
    lease.end();
  }
  if (!player.finished) yield player.end({});
}

const ID_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
const NATIVE_ID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

interface Before {
  startedMs: number;
  loadMs: number;
  prefillMs: number;
}

/** Plays the steps of one answer. */
class Player {
  finished = false;
  #tokens = 0;
  #thinkingTokens = 0;
  #reason: 'stop' | 'length' = 'stop';
  readonly #world: World;
  readonly #request: GenerationRequest;
  readonly #before: Before;
  readonly #filter: StopFilter;
  readonly #ids: () => number;
  #decodeFromMs: number;
  #msPerToken: number;
  #dueMs: number;
  #calls = 0;
  #held: ToolPiece[] = [];
  #thought = false;
  #over = false;

  constructor(world: World, request: GenerationRequest, before: Before) {
    this.#world = world;
    this.#request = request;
    this.#before = before;
    this.#filter = new StopFilter(request.stops);
    this.#ids = seededRandom(hashText(JSON.stringify(request.steps)));
    this.#msPerToken = 1000 / world.tokensPerSecond;
    this.#dueMs = world.clock.now();
    this.#decodeFromMs = this.#dueMs;
  }

  async *play(): AsyncGenerator<Piece, void, void> {
    for (const step of this.#request.steps) {
      yield* this.#step(step);
      if (this.#over) return;
    }
    yield* this.#heldText();
  }

  end(finish: EndPiece['finish']): EndPiece {
    const now = this.#world.clock.now();
    const { startedMs, loadMs, prefillMs } = this.#before;
    return {
      kind: 'end',
      reason: this.#reason,
      figures: {
        totalMs: now - startedMs,
        loadMs,
        promptTokens: this.#request.promptTokens,
        prefillMs,
        tokens: this.#tokens,
        thinkingTokens: this.#thinkingTokens,
        decodeMs: now - this.#decodeFromMs,
      },
      tools: this.#held,
      finish,
    };
  }

  async *#step(step: Step): AsyncGenerator<Piece, void, void> {
    switch (step.kind) {
      case 'say':
        yield* this.#say(step.text);
        return;
      case 'think':
        if (!this.#request.think) return;
        for (const text of tokenize(step.text)) {
          yield* this.#emit({ kind: 'thinking', text });
          if (this.#over) return;
        }
        this.#thought = true;
        return;
      case 'mixed':
        if (this.#request.think) yield* this.#emit(step);
        else yield* this.#say(step.text);
        return;
      case 'callTool':
        yield* this.#call(step);
        return;
      case 'huge':
        yield* this.#text('a'.repeat(step.characters));
        return;
      case 'endless':
        while (!this.#over) yield* this.#say(step.text);
        return;
      case 'garbage':
        yield { kind: 'raw', bytes: step.bytes };
        return;
      case 'frame':
      case 'flood':
      case 'torn':
        yield step;
        return;
      case 'begin':
        yield { kind: 'flush' };
        return;
      case 'heartbeats':
        for (let sent = 0; sent < step.times; sent++) {
          await this.#pause(step.everyMs);
          yield { kind: 'heartbeat' };
        }
        return;
      case 'slow':
        this.#msPerToken = 1000 / step.tokensPerSecond;
        this.#dueMs = this.#world.clock.now();
        return;
      case 'stall':
        // Before the first record the status line waits too.
        if (this.#tokens > 0) yield { kind: 'flush' };
        await this.#pause(step.ms ?? Number.POSITIVE_INFINITY);
        return;
      case 'finish':
        yield* this.#heldText();
        this.finished = true;
        yield this.end(step.finish);
        return;
      case 'error':
        throw new HttpFailure(step.status, step.message, {
          fromRunner: true,
          body: step.body,
          headers: step.headers,
        });
      case 'cut':
        throw new Cut(step.how);
      // Of the whole answer: they have been read before it began.
      case 'shape':
      case 'replay':
      case 'wire':
      case 'connection':
        return;
    }
  }

  async *#say(text: string): AsyncGenerator<Piece, void, void> {
    for (const token of tokenize(text)) {
      yield* this.#text(token);
      if (this.#over) return;
    }
  }

  async *#call(step: Extract<Step, { kind: 'callTool' }>): AsyncGenerator<Piece, void, void> {
    const native = this.#request.native ?? false;
    const piece: ToolPiece = {
      kind: 'tool',
      id: native
        ? randomText(this.#ids, NATIVE_ID_ALPHABET, 32)
        : `call_${randomText(this.#ids, ID_ALPHABET, 8)}`,
      index: this.#calls++,
      name: step.name,
      arguments: step.arguments,
    };
    for await (const emitted of this.#emit(piece)) {
      if (native || step.onLastRecord) this.#held.push(piece);
      else yield emitted;
    }
  }

  async *#text(token: string): AsyncGenerator<Piece, void, void> {
    if (this.#thought && this.#request.startsAgain) await this.#startAgain();
    this.#thought = false;
    const { text, stopped } = this.#filter.push(token);
    if (text !== '') yield* this.#emit({ kind: 'text', text });
    if (stopped) this.#over = true;
  }

  /** The text that might have begun a stop string. */
  async *#heldText(): AsyncGenerator<Piece, void, void> {
    const held = this.#filter.end();
    if (held !== '') yield* this.#emit({ kind: 'text', text: held });
  }

  /** The second, constrained run: the figures of the last record are its own. */
  async #startAgain(): Promise<void> {
    const { clock, prefillMsPerToken } = this.#world;
    const fromMs = clock.now();
    await sleep(clock, prefillMsPerToken * this.#request.promptTokens, this.#request.signal);
    this.#before.prefillMs = clock.now() - fromMs;
    this.#tokens = 0;
    this.#thinkingTokens = 0;
    this.#dueMs = clock.now();
    this.#decodeFromMs = this.#dueMs;
  }

  async #pause(ms: number): Promise<void> {
    await sleep(this.#world.clock, ms, this.#request.signal);
    this.#dueMs = this.#world.clock.now();
  }

  async *#emit(piece: ContentPiece): AsyncGenerator<Piece, void, void> {
    const { clock } = this.#world;
    if (this.#tokens >= this.#request.numPredict) {
      this.#over = true;
      this.#reason = 'length';
      return;
    }
    this.#dueMs += this.#msPerToken;
    await sleep(clock, this.#dueMs - clock.now(), this.#request.signal);
    this.#tokens++;
    if (piece.kind === 'thinking') this.#thinkingTokens++;
    yield piece;
  }
}
