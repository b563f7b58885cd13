import { type ModelInfo, parseJson } from '@ziggie/llm-protocol';
import { decodeOllamaModels } from '@ziggie/llm-protocol/ollama';
import { decodeOpenAiModels } from '@ziggie/llm-protocol/openai';
import type { Clock } from '../clock.ts';
import { KitFailure } from '../failure.ts';
import type { UpstreamDialect } from '../upstreams/upstream-settings.ts';
import { Cached } from './cached.ts';
import { statusFailure, transportFailure, upstreamFailure } from './failures.ts';
import { canonicalName } from './model-name.ts';
import type { Transport } from './transport.ts';

/** How old the list of models may be: for showing it, and for looking a name up. */
export const showForMs = 1000;
export const lookUpForMs = 5000;
const loadedForMs = 500;
const askTimeoutMs = 5000;
const maxListBytes = 8 * 1024 * 1024;

/** What expires later than this, in ms, was told to stay: Ollama writes a date in some 292 years. */
const foreverMs = 365 * 86_400_000;

/** What an upstream says of a model beside what every list of ours has. */
export interface ModelFile {
  /** RFC 3339. */
  modifiedAt?: string | undefined;
  /** Hex of the manifest. */
  digest?: string | undefined;
}

/** A model in the memory of an upstream. */
export interface LoadedModel {
  /** Bytes it takes there, `null` when the upstream does not say. */
  bytes: number | null;
  /** Whether somebody has said that it stays (`keep_alive: -1`). */
  isKept: boolean;
  /** When it goes by itself if nobody asks for it, by the wall clock in ms; NaN when the upstream does not say, or its clock differs. */
  expiresAt: number;
}

interface List {
  body: unknown;
  models: ModelInfo[];
  /** By canonical name. */
  byName: ReadonlyMap<string, ModelInfo>;
}

interface Memory {
  body: unknown;
  /** By canonical name. */
  loaded: ReadonlyMap<string, LoadedModel>;
}

/** What one model server has, asked at most once a second however many callers want to know. */
export class ModelCatalog {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #list: Cached<List>;
  readonly #memory: Cached<Memory> | undefined;
  readonly #loadTimesMs = new Map<string, number[]>();
  /** Models that the upstream lists and does not have, by when it said so. */
  readonly #refused = new Map<string, number>();

  constructor(transport: Transport, clock: Clock, dialect: UpstreamDialect = 'ollama') {
    this.#transport = transport;
    this.#clock = clock;
    if (dialect === 'openai') {
      this.#list = new Cached(async () => {
        const body = await this.#ask('/models');
        return listOf(body, decodeOpenAiModels(body));
      }, clock);
      return;
    }
    this.#list = new Cached(async () => {
      const body = withoutRemote(await this.#ask('/api/tags'));
      return listOf(body, decodeOllamaModels(body, null));
    }, clock);
    this.#memory = new Cached(async () => memoryOf(await this.#ask('/api/ps'), clock.wallNow()), clock);
  }

  /** Every model with what is in memory, at most a second old. @throws {KitFailure} when the upstream cannot say. */
  async models(): Promise<ModelInfo[]> {
    if (!this.#memory) return (await this.#list.get(showForMs)).models;
    const [{ body }, memory] = await Promise.all([this.#list.get(showForMs), this.#memory.get(loadedForMs)]);
    return decodeOllamaModels(body, memory.body);
  }

  /** The list of models by canonical name, at most `maxAgeMs` old. @throws {KitFailure} when the upstream cannot say. */
  async names(maxAgeMs: number): Promise<ReadonlyMap<string, ModelInfo>> {
    return (await this.#list.get(maxAgeMs)).byName;
  }

  /** Asks the upstream now, whatever is known already. @throws {KitFailure} when it does not answer. */
  async look(): Promise<void> {
    await this.#list.get(Number.NEGATIVE_INFINITY);
  }

  /** The list as far as it is known without asking; `undefined` when it is older than `maxAgeMs`. */
  knownNames(maxAgeMs: number = Number.POSITIVE_INFINITY): ReadonlyMap<string, ModelInfo> | undefined {
    return this.#list.known(maxAgeMs)?.byName;
  }

  /** A model as it is known here, unless the upstream has just said that it does not have it. */
  find(canonical: string): ModelInfo | undefined {
    const refusedAt = this.#refused.get(canonical);
    if (refusedAt !== undefined && this.#clock.now() - refusedAt < lookUpForMs) return undefined;
    return this.knownNames()?.get(canonical);
  }

  /** When a model was changed last and which it is, as far as the upstream says. */
  fileOf(canonical: string): ModelFile | undefined {
    const { models } = (this.#list.known(Number.POSITIVE_INFINITY)?.body ?? {}) as { models?: unknown };
    if (!Array.isArray(models)) return undefined;
    const entry = models.find(({ name }) => typeof name === 'string' && canonicalName(name) === canonical);
    if (!entry) return undefined;
    const { modified_at: modifiedAt, digest } = entry as { modified_at?: unknown; digest?: unknown };
    return {
      modifiedAt: typeof modifiedAt === 'string' ? modifiedAt : undefined,
      digest: typeof digest === 'string' && /^[a-f0-9]{1,128}$/.test(digest) ? digest : undefined,
    };
  }

  /** Notes that the upstream does not have what it lists. */
  refused(canonical: string): void {
    if (this.#refused.size > 1000) this.#refused.clear();
    this.#refused.set(canonical, this.#clock.now());
  }

  /** What is in memory as far as it is known without asking, and when that was. */
  get memory(): { loaded: ReadonlyMap<string, LoadedModel>; at: number } | undefined {
    const known = this.#memory?.entry;
    return known && { loaded: known.value.loaded, at: known.at };
  }

  /**
   * Looks again in the background at what is older than this. `onFailure` hears when the upstream could not say. Nobody
   * waits for it.
   */
  refresh(listMs: number, memoryMs: number, onFailure: (failure: KitFailure) => void): void {
    for (const [cached, maxAgeMs] of [
      [this.#list, listMs],
      [this.#memory, memoryMs],
    ] as const) {
      if (cached && !cached.isFresh(maxAgeMs)) cached.get(maxAgeMs).catch(onFailure);
    }
  }

  /** Whether a model is in memory; `undefined` when that cannot be found out. */
  async isLoaded(model: string, maxAgeMs: number = loadedForMs): Promise<boolean | undefined> {
    if (!this.#memory) return undefined;
    try {
      return (await this.#memory.get(maxAgeMs)).loaded.has(canonicalName(model));
    } catch {
      return undefined;
    }
  }

  /** {@link isLoaded} as far as it is known now, without asking. */
  isKnownLoaded(model: string): boolean | undefined {
    return this.#memory?.known(loadedForMs)?.loaded.has(canonicalName(model));
  }

  /** Notes that a model answers: a list of loaded models that lacks it is old, however young. */
  sawAnswer(model: string): void {
    this.#memory?.expireUnless(({ loaded }) => loaded.has(canonicalName(model)));
  }

  /** Notes how long a load took. */
  learnLoadTime(model: string, loadMs: number): void {
    const name = canonicalName(model);
    const times = this.#loadTimesMs.get(name) ?? [];
    times.push(loadMs);
    if (times.length > 9) times.shift();
    this.#loadTimesMs.set(name, times);
  }

  /** Median of the last loads, `null` when there was none. */
  typicalLoadMs(model: string): number | null {
    const times = [...(this.#loadTimesMs.get(canonicalName(model)) ?? [])].sort((a, b) => a - b);
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

function listOf(body: unknown, models: ModelInfo[]): List {
  return { body, models, byName: new Map(models.map((model) => [canonicalName(model.name), model])) };
}

function memoryOf(body: unknown, wallMs: number): Memory {
  const loaded = decodeOllamaModels(body, body).map(({ name, loaded: memory }) => {
    const until = Date.parse(memory?.expiresAt ?? '');
    const isKept = until - wallMs > foreverMs;
    // What is still there cannot have expired: the clocks differ.
    const expiresAt = until > wallMs ? until : Number.NaN;
    return [canonicalName(name), { bytes: memory?.sizeVramBytes ?? null, isKept, expiresAt }] as const;
  });
  return { body, loaded: new Map(loaded) };
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
