import { type ModelInfo, parseJson } from '@ziggie/llm-protocol';
import { classifyOllamaError } from '@ziggie/llm-protocol/ollama';
import type { Clock } from '../clock.ts';
import { asFailure, KitFailure, shuttingDown } from '../failure.ts';
import type { Lease } from '../lease.ts';
import type { StopSignal } from '../stop.ts';
import { statusFailure, streamFailure, transportFailure, upstreamFailure } from '../upstream/failures.ts';
import { canonicalName } from '../upstream/model-name.ts';
import type { Transport, UpstreamBody } from '../upstream/transport.ts';
import type { PlaceUpstream } from '../upstreams/places.ts';
import type { PlaceLease } from './place-lease.ts';

/** How long a load goes on that nobody waits for, in ms: whoever gets the place that was left takes a moment to come. */
const lingerMs = 10;
/** How often a load that only the line still wants is looked at, in ms. */
const lookAgainMs = 1000;
const maxAnswerBytes = 64 * 1024;
/** A model that was used so recently is taken to be in memory still, in ms; else a look at the list of loaded ones comes first. */
const stillThereMs = 10_000;

type ModelThere = Pick<PlaceLease, 'upstream' | 'model'> & Partial<Pick<PlaceLease, 'evicts'>>;

/** One load that is going on. */
interface Load {
  readonly key: string;
  readonly model: string;
  readonly startedAt: number;
  readonly giveUp: AbortController;
  readonly done: Promise<void>;
  joined: number;
  /** Whether its failure has been counted against the server. */
  isBlamed: boolean;
  cancelLook: (() => void) | undefined;
  cancelLimit: () => void;
}

/**
 * Brings models into memory, each once however many wait for it, by a request of its own: Ollama gives up a load when the
 * client that asked for it goes, and with impatient users a large model would never be there.
 */
export class LoadShepherd {
  readonly #clock: Clock;
  readonly #isWanted: (model: string) => boolean;
  readonly #loads = new Map<string, Load>();
  /** When a model was last asked for, per upstream: no more than there are models. */
  readonly #usedAt = new Map<string, number>();
  /** Hears of each load that is through. */
  onLoaded: ((upstream: string, model: string, loadMs: number) => void) | undefined;

  /** @param isWanted Whether somebody in a line waits for a model, by the upstream's name. */
  constructor(clock: Clock, isWanted: (model: string) => boolean) {
    this.#clock = clock;
    this.#isWanted = isWanted;
  }

  /**
   * Brings the model of a place into memory before it is used.
   *
   * @param limitMs How long a load may take that begins now.
   * @returns How long that took, in ms; `undefined` when it was there.
   * @throws {KitFailure} What went wrong, the same for all who wait for one load; or what ended the request.
   */
  bring(place: PlaceLease, lease: Lease, limitMs: number): Promise<number | undefined> | undefined {
    const { upstream } = place;
    // Others bring in what they serve by themselves.
    if (upstream.dialect !== 'ollama') return undefined;
    const key = keyOf(place);
    if (place.cold || this.#loads.has(key)) return this.#load(place, lease, limitMs);
    const usedAt = this.#usedAt.get(key) ?? Number.NEGATIVE_INFINITY;
    const now = this.#clock.now();
    if (now - usedAt > stillThereMs) return this.#loadIfAbsent(place, lease, limitMs);
    this.#usedAt.set(key, now);
    return undefined;
  }

  /**
   * Brings a model into memory for somebody who asks it nothing, and joins a load that is going on.
   *
   * @throws {KitFailure} What went wrong, or `aborted` when whoever wanted it has left.
   */
  async warm(upstream: PlaceUpstream, model: string, limitMs: number, left: StopSignal): Promise<void> {
    if (await upstream.catalog.isLoaded(model, Number.NEGATIVE_INFINITY)) return;
    const key = keyOf({ upstream, model });
    const load = this.#loads.get(key) ?? this.#start(key, { upstream, model }, limitMs);
    load.joined++;
    load.cancelLook?.();
    load.cancelLook = undefined;
    let leave = () => {};
    const hasLeft = new Promise<never>((_, reject) => {
      leave = () => reject(new KitFailure('aborted', 'The caller left before the model was loaded.'));
      if (left.aborted) leave();
      else left.addEventListener('abort', leave, { once: true });
    });
    try {
      await Promise.race([load.done, hasLeft]);
    } finally {
      left.removeEventListener('abort', leave);
      load.joined--;
      if (load.joined === 0 && this.#loads.get(key) === load) this.#lookAt(load, lingerMs);
    }
    this.#usedAt.set(key, this.#clock.now());
  }

  /** Loads that are going on. */
  get open(): number {
    return this.#loads.size;
  }

  async #loadIfAbsent(place: PlaceLease, lease: Lease, limitMs: number): Promise<number | undefined> {
    const isLoaded = await lease.during(place.upstream.catalog.isLoaded(place.model));
    if (isLoaded === false) return this.#load(place, lease, limitMs);
    this.#usedAt.set(keyOf(place), this.#clock.now());
    return undefined;
  }

  async #load(place: PlaceLease, lease: Lease, limitMs: number): Promise<number> {
    const key = keyOf(place);
    const since = this.#clock.now();
    const load = this.#loads.get(key) ?? this.#start(key, place, limitMs);
    load.joined++;
    load.cancelLook?.();
    load.cancelLook = undefined;
    place.loads();
    try {
      await lease.during(load.done);
    } catch (thrown) {
      // One load that failed is one fault of its server, however many waited for it.
      if (load.isBlamed) place.excuse();
      load.isBlamed ||= !lease.signal.aborted;
      throw thrown;
    } finally {
      load.joined--;
      if (load.joined === 0 && this.#loads.get(key) === load) this.#lookAt(load, lingerMs);
    }
    this.#usedAt.set(key, this.#clock.now());
    place.loaded();
    return this.#clock.now() - since;
  }

  /** Gives up every load. */
  close(): void {
    for (const load of this.#loads.values()) load.giveUp.abort(shuttingDown());
  }

  #start(key: string, there: ModelThere, limitMs: number): Load {
    const { upstream, model } = there;
    const giveUp = new AbortController();
    const ended = new Promise<never>((_, reject) => {
      giveUp.signal.addEventListener('abort', () => reject(giveUp.signal.reason), { once: true });
    });
    const load: Load = {
      key,
      model,
      startedAt: this.#clock.now(),
      giveUp,
      done: Promise.race([this.#run(there, giveUp.signal), ended]),
      joined: 0,
      isBlamed: false,
      cancelLook: undefined,
      cancelLimit: this.#clock.setTimer(() => {
        giveUp.abort(upstreamFailure('load_timeout', `longer than ${Math.round(limitMs)} ms`));
      }, limitMs),
    };
    this.#loads.set(key, load);
    load.done.then(
      () => {
        const loadMs = this.#clock.now() - load.startedAt;
        upstream.catalog.learnLoadTime(model, loadMs);
        this.onLoaded?.(upstream.id, model, loadMs);
        upstream.catalog.sawAnswer(model);
        this.#over(load);
      },
      () => this.#over(load),
    );
    return load;
  }

  #over(load: Load): void {
    if (this.#loads.get(load.key) === load) this.#loads.delete(load.key);
    load.cancelLimit();
    load.cancelLook?.();
    load.cancelLook = undefined;
  }

  /** A load that nobody has joined goes on while somebody in the line wants the model. */
  #lookAt(load: Load, afterMs: number): void {
    load.cancelLook?.();
    load.cancelLook = this.#clock.setTimer(() => {
      load.cancelLook = undefined;
      if (load.joined > 0 || this.#loads.get(load.key) !== load) return;
      if (this.#isWanted(load.model)) this.#lookAt(load, lookAgainMs);
      else load.giveUp.abort(upstreamFailure('upstream_error', 'a load that nobody waits for'));
    }, afterMs);
  }

  /**
   * Asks Ollama to load and nothing else. What is to go for it is said first, or Ollama takes whatever is idle: of models kept
   * equally long the one whose file comes first by name.
   *
   * @throws {KitFailure}
   */
  async #run({ upstream, model, evicts = [] }: ModelThere, signal: AbortSignal): Promise<void> {
    const { transport, catalog } = upstream;
    const info = catalog.find(canonicalName(model));
    try {
      // A model that is no longer there to be taken out is no reason not to load the other.
      for (const victim of evicts) {
        await loadAnswer(transport, unloadCall(victim), signal).catch((thrown) => {
          if (!(thrown instanceof KitFailure)) throw thrown;
        });
      }
      await loadAnswer(transport, loadCall(model, info), signal);
    } catch (thrown) {
      throw signal.aborted ? asFailure(signal.reason) : transportFailure(thrown, 'head');
    }
  }
}

interface LoadCall {
  path: string;
  body: object;
}

/** @throws {KitFailure} when it is refused; whatever the transport throws. */
async function loadAnswer(
  transport: Transport,
  { path, body }: LoadCall,
  signal: AbortSignal,
): Promise<void> {
  let source: UpstreamBody | undefined;
  try {
    const answer = await transport.send({ method: 'POST', path, body: JSON.stringify(body), signal });
    source = answer.body;
    if (answer.status !== 200) throw await statusFailure(answer);
    const decoder = new TextDecoder();
    let text = '';
    for (let chunk = await answer.body.read(); chunk !== null; chunk = await answer.body.read()) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > maxAnswerBytes) throw upstreamFailure('response_too_large', 'answer to a load');
    }
    const failure = failureIn(parseJson(text));
    if (failure) throw failure;
  } finally {
    // A server that goes on after what was refused is not listened to.
    source?.cancel();
  }
}

/** What loads a model and nothing else: a prompt without text, or no texts for a model that only makes vectors. */
function loadCall(model: string, info: ModelInfo | undefined): LoadCall {
  const makesVectors = info?.capabilities.includes('embedding') && !info.capabilities.includes('completion');
  return makesVectors
    ? { path: '/api/embed', body: { model, input: [] } }
    : { path: '/api/generate', body: { model, stream: false } };
}

/** What takes any model out of memory once its answers are over. Ollama says so at once, also of one that is not there. */
function unloadCall(model: string): LoadCall {
  return { path: '/api/generate', body: { model, stream: false, keep_alive: 0 } };
}

/** An error that stands in an answer with status 200. */
function failureIn(record: unknown): KitFailure | undefined {
  const error = (record as { error?: unknown } | null)?.error;
  if (typeof error !== 'string') return undefined;
  const { code, retryable } = classifyOllamaError(undefined, error, error);
  return streamFailure(code, retryable);
}

function keyOf({ upstream, model }: ModelThere): string {
  return `${upstream.id}\n${model}`;
}
