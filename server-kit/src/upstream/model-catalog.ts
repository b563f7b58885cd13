import { type ModelInfo, parseJson } from '@ziggie/llm-protocol';
import { decodeOllamaModels } from '@ziggie/llm-protocol/ollama';
import type { Clock } from '../clock.ts';
import { KitFailure } from '../failure.ts';
import { statusFailure, transportFailure, upstreamFailure } from './failures.ts';
import { canonicalName } from './model-name.ts';
import type { Transport } from './transport.ts';

/** How old the list of models may be: for showing it, and for looking a name up. */
const showForMs = 1000;
const lookUpForMs = 5000;
const loadedForMs = 500;
const askTimeoutMs = 5000;
const maxListBytes = 8 * 1024 * 1024;

/** What the model server has, asked at most once a second however many callers want to know. */
export class ModelCatalog {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #tags: Cached<unknown>;
  readonly #ps: Cached<unknown>;
  #downSince = Number.NEGATIVE_INFINITY;
  readonly #loadTimesMs = new Map<string, number[]>();

  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport;
    this.#clock = clock;
    this.#tags = new Cached(async () => withoutRemote(await this.#ask('/api/tags')), clock);
    this.#ps = new Cached(() => this.#ask('/api/ps'), clock);
  }

  /** The models that the caller may use. @throws {KitFailure} when the model server cannot say. */
  async models(mayUse: (model: string) => boolean): Promise<ModelInfo[]> {
    const [tags, ps] = await Promise.all([this.#tags.get(showForMs), this.#ps.get(loadedForMs)]);
    return decodeOllamaModels(tags, ps).filter((model) => mayUse(model.name));
  }

  /**
   * The server's own spelling of a name a caller gave: Ollama's names ignore case, and `:latest` is implied.
   *
   * A model that the caller may not use goes the whole way of one that does not exist, so that neither the answer nor the
   * time it takes tells them apart.
   *
   * @throws {KitFailure} `model_not_found`
   */
  async resolve(name: string, mayUse: (model: string) => boolean): Promise<string> {
    const wanted = canonicalName(name);
    for (const maxAgeMs of [lookUpForMs, showForMs]) {
      const names = decodeOllamaModels(await this.#tags.get(maxAgeMs), null).map((model) => model.name);
      const found = names.find((one) => canonicalName(one) === wanted && mayUse(one));
      if (found !== undefined) return found;
    }
    throw upstreamFailure('model_not_found', 'not in the list of models');
  }

  /** Whether a model is in memory; `undefined` when that cannot be found out. */
  async isLoaded(model: string, maxAgeMs: number = loadedForMs): Promise<boolean | undefined> {
    try {
      const models = decodeOllamaModels(await this.#ps.get(maxAgeMs), null);
      return models.some((one) => one.name === model);
    } catch {
      return undefined;
    }
  }

  /** Notes that a model answers: a list of loaded models that lacks it is old, however young. */
  sawAnswer(model: string): void {
    this.#ps.dropUnless((ps) => decodeOllamaModels(ps, null).some((one) => one.name === model));
  }

  /**
   * How many models there are, or `undefined` when the model server does not answer. Anybody may ask, so a server that
   * is down is tried once a second and no more.
   */
  async count(): Promise<number | undefined> {
    if (this.#clock.now() - this.#downSince <= showForMs) return undefined;
    try {
      return decodeOllamaModels(await this.#tags.get(showForMs), null).length;
    } catch {
      this.#downSince = this.#clock.now();
      return undefined;
    }
  }

  /** Notes how long a load took. */
  learnLoadTime(model: string, loadMs: number): void {
    const times = this.#loadTimesMs.get(model) ?? [];
    times.push(loadMs);
    if (times.length > 9) times.shift();
    this.#loadTimesMs.set(model, times);
  }

  /** Median of the last loads, `null` when there was none. */
  typicalLoadMs(model: string): number | null {
    const times = [...(this.#loadTimesMs.get(model) ?? [])].sort((a, b) => a - b);
    return times[Math.floor(times.length / 2)] ?? null;
  }

  async #ask(path: string): Promise<unknown> {
    const giveUp = new AbortController();
    const cancel = this.#clock.setTimer(() => giveUp.abort(), askTimeoutMs);
    try {
      const answer = await this.#transport.send({ method: 'GET', path, signal: giveUp.signal });
      if (answer.status !== 200) throw await statusFailure(answer);
      const decoder = new TextDecoder();
      let text = '';
      for (;;) {
        const chunk = await answer.body.read();
        if (chunk === null) break;
        text += decoder.decode(chunk, { stream: true });
        if (text.length > maxListBytes) throw upstreamFailure('response_too_large', 'list of models');
      }
      return parseJson(text);
    } catch (thrown) {
      if (thrown instanceof KitFailure) throw thrown;
      throw transportFailure(thrown, 'head');
    } finally {
      cancel();
      giveUp.abort();
    }
  }
}

/**
 * Leaves out models that Ollama only forwards to another host (`remote_host`, since v0.12): a prompt sent to one leaves
 * the premises, which nobody behind this kit has agreed to.
 */
function withoutRemote(tags: unknown): unknown {
  const models = (tags as { models?: unknown } | null)?.models;
  if (!Array.isArray(models)) return tags;
  return { models: models.filter((model) => !model?.remote_host && !model?.remote_model) };
}

/** A value that is fetched when it is wanted and too old; callers at the same time share one fetch. */
class Cached<T> {
  readonly #fetch: () => Promise<T>;
  readonly #clock: Clock;
  #value: { value: T; at: number } | undefined;
  #running: Promise<T> | undefined;

  constructor(fetch: () => Promise<T>, clock: Clock) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  /** Forgets a value that does not hold any more. */
  dropUnless(holds: (value: T) => boolean): void {
    if (this.#value && !holds(this.#value.value)) this.#value = undefined;
  }

  get(maxAgeMs: number): Promise<T> {
    const known = this.#value;
    if (known && this.#clock.now() - known.at <= maxAgeMs) return Promise.resolve(known.value);
    this.#running ??= this.#fetch()
      .then((value) => {
        this.#value = { value, at: this.#clock.now() };
        return value;
      })
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }
}
