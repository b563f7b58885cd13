import type { ModelInfo } from '@ziggie/llm-protocol';
import type { Clock } from '../clock.ts';
import { asFailure, type KitFailure } from '../failure.ts';
import { upstreamFailure } from '../upstream/failures.ts';
import { lookUpForMs, type ModelFile, showForMs } from '../upstream/model-catalog.ts';
import { canonicalName } from '../upstream/model-name.ts';
import type { Upstream } from './upstream.ts';
import type { Upstreams } from './upstreams.ts';

/** When to ask again while there is no model server yet, in ms. */
const noneYetRetryMs = 2000;

/** How things are with the upstreams, for the public routes. */
export interface FleetHealth {
  /** Upstreams that answer, and all that are there. */
  up: number;
  of: number;
  /** Different models on those that answer. */
  models: number;
}

/** What all upstreams together have. */
export class FleetCatalog {
  readonly #upstreams: Upstreams;
  readonly #clock: Clock;
  readonly #downSince = new WeakMap<Upstream, number>();

  constructor(upstreams: Upstreams, clock: Clock) {
    this.#upstreams = upstreams;
    this.#clock = clock;
  }

  /** The models that the caller may use, from all upstreams that answer. @throws {KitFailure} when none does. */
  async models(mayUse: (model: string) => boolean): Promise<ModelInfo[]> {
    const lists = await everyAnswer(this.#reachable(), ({ catalog }) => catalog.models());
    const models = new Map<string, ModelInfo>();
    for (const model of lists.flat()) {
      if (!mayUse(model.name)) continue;
      const name = canonicalName(model.name);
      const known = models.get(name);
      if (!known) models.set(name, model);
      else if (staysLonger(model, known)) models.set(name, { ...known, loaded: model.loaded });
    }
    return [...models.values()];
  }

  /**
   * The upstreams' own spelling of a name a caller gave, at once where it is known: names ignore case, and `:latest` is implied.
   *
   * A model that the caller may not use goes the whole way of one that does not exist, so that neither the answer nor the
   * time it takes tells them apart.
   *
   * @throws {KitFailure} `model_not_found`
   */
  resolve(name: string, mayUse: (model: string) => boolean): string | Promise<string> {
    const wanted = canonicalName(name);
    const spelt = (names: ReadonlyMap<string, ModelInfo> | undefined): string | undefined => {
      const found = names?.get(wanted)?.name;
      return found !== undefined && mayUse(found) ? found : undefined;
    };
    for (const { catalog } of this.#upstreams.all) {
      const known = spelt(catalog.knownNames(lookUpForMs));
      if (known !== undefined) return known;
    }
    return this.#askFor(spelt);
  }

  async #askFor(spelt: (names: ReadonlyMap<string, ModelInfo>) => string | undefined): Promise<string> {
    const found = await firstAnswer(
      this.#reachable(),
      async ({ catalog }) => spelt(await catalog.names(lookUpForMs)) ?? spelt(await catalog.names(showForMs)),
    );
    if (found !== undefined) return found;
    throw upstreamFailure('model_not_found', 'not in the list of models');
  }

  /** What an upstream says of a model's file, as far as it is known without asking. */
  fileOf(canonical: string): ModelFile | undefined {
    for (const { catalog } of this.#upstreams.all) {
      const file = catalog.fileOf(canonical);
      if (file) return file;
    }
    return undefined;
  }

  /** The files that upstreams have under this name, each once and in order, as far as is known without asking. */
  digestsOf(canonical: string): readonly string[] {
    const digests = this.#upstreams.all.map(({ catalog }) => catalog.fileOf(canonical)?.digest);
    return [...new Set(digests.filter((digest) => digest !== undefined))].sort();
  }

  /** Whether a model is known to think. `true` when nothing is known: then the upstream says. */
  async canThink(name: string): Promise<boolean> {
    const wanted = canonicalName(name);
    const models = await this.models(() => true);
    const model = models.find((one) => canonicalName(one.name) === wanted);
    return model === undefined || model.capabilities.includes('thinking');
  }

  /**
   * How many upstreams answer and what they have. Anybody may ask, so a server that is down is tried once a second and no
   * more.
   */
  async health(): Promise<FleetHealth> {
    const lists = await Promise.all(
      this.#upstreams.all.map(async (upstream) => {
        const { catalog } = upstream;
        const downSince = this.#downSince.get(upstream) ?? Number.NEGATIVE_INFINITY;
        if (this.#clock.now() - downSince <= showForMs) return undefined;
        try {
          return await catalog.names(showForMs);
        } catch {
          this.#downSince.set(upstream, this.#clock.now());
          return undefined;
        }
      }),
    );
    const answered = lists.filter((list) => list !== undefined);
    const models = new Set(answered.flatMap((list) => [...list.keys()]));
    return { up: answered.length, of: lists.length, models: models.size };
  }

  /** Those that are not known to be down; all of them when all are. */
  #reachable(): readonly Upstream[] {
    const { all } = this.#upstreams;
    const now = this.#clock.now();
    const closed = all.filter(({ breaker }) => breaker.state(now) !== 'open');
    return closed.length > 0 ? closed : all;
  }
}

/** Every answer there is. @throws {KitFailure} of the first upstream when there is none. */
async function everyAnswer<T>(
  upstreams: readonly Upstream[],
  ask: (upstream: Upstream) => Promise<T>,
): Promise<T[]> {
  if (upstreams.length === 0) throw noneYet();
  const ends = await Promise.allSettled(upstreams.map(ask));
  const answers = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
  const [first] = ends;
  if (answers.length === 0 && first?.status === 'rejected') throw asFailure(first.reason);
  return answers;
}

/**
 * The first answer that is not `undefined`, without waiting for the others; `undefined` when all that answer say so.
 *
 * @throws {KitFailure} when none answers.
 */
function firstAnswer<T>(
  upstreams: readonly Upstream[],
  ask: (upstream: Upstream) => Promise<T | undefined>,
): Promise<T | undefined> {
  if (upstreams.length === 0) return Promise.reject(noneYet());
  return new Promise((resolve, reject) => {
    let open = upstreams.length;
    let hasAnswered = false;
    let failure: KitFailure | undefined;
    const over = () => {
      if (--open > 0) return;
      if (hasAnswered || !failure) resolve(undefined);
      else reject(failure);
    };
    for (const upstream of upstreams) {
      ask(upstream).then(
        (found) => {
          hasAnswered = true;
          if (found !== undefined) resolve(found);
          over();
        },
        (thrown) => {
          failure ??= asFailure(thrown);
          over();
        },
      );
    }
  });
}

/** They are looked for, and none was found yet. */
function noneYet(): KitFailure {
  return upstreamFailure('upstream_unreachable', 'no upstream was found yet', true, noneYetRetryMs);
}

/** Whether a model stays in memory longer than the same one elsewhere. */
function staysLonger({ loaded }: ModelInfo, { loaded: other }: ModelInfo): boolean {
  if (!loaded) return false;
  return !other || (loaded.expiresAt ?? '') > (other.expiresAt ?? '');
}
