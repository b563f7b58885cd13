import { canonicalName } from '../upstream/model-name.ts';
import type { AliasTarget, Fallback, FallbackReason, RoutingOptions } from './routing-options.ts';
import { pick, shareOf } from './share-of.ts';

/** A model that may answer a request. */
export interface Candidate {
  /** As it is looked up on the upstreams. */
  model: string;
  /** When a request goes on to it; `undefined` for the one that is tried first. */
  on: ReadonlySet<FallbackReason> | undefined;
}

/** Who asks, as far as it decides who answers. */
export interface RoutedCaller {
  /** Stable for one principal. */
  key: string;
  roles: readonly string[];
}

const usual: readonly FallbackReason[] = ['missing', 'unavailable', 'busy', 'quota'];

/** Says which models may answer to a name, and in which order. Pure: the same caller gets the same answer every time. */
export class Routing {
  readonly #aliases: ReadonlyMap<string, readonly AliasTarget[]>;
  readonly #fallbacks: ReadonlyMap<string, readonly Fallback[]>;

  /** @throws {TypeError} for an alias of an alias: it would go round in circles. */
  constructor({ aliases = {}, tasks = {}, fallbacks = {} }: RoutingOptions = {}) {
    const named = [
      ...Object.entries(aliases),
      ...Object.entries(tasks).map(([task, to]) => [`task:${task}`, to] as const),
    ];
    this.#aliases = new Map(
      named.map(([name, to]) => [canonicalName(name), typeof to === 'string' ? [{ model: to }] : to]),
    );
    this.#fallbacks = new Map(Object.entries(fallbacks).map(([name, list]) => [canonicalName(name), list]));
    for (const [name, targets] of this.#aliases) {
      const circle = targets.find(({ model }) => this.#aliases.has(canonicalName(model)));
      if (circle)
        throw new TypeError(
          `routing: the alias "${name}" stands for "${circle.model}", which is one itself.`,
        );
    }
  }

  /** The models for a name. One and the same as it was given, when nothing is said about it. */
  candidates(asked: string, { key, roles }: RoutedCaller): readonly Candidate[] {
    const name = canonicalName(asked);
    const open = this.#aliases
      .get(name)
      ?.filter((target) => target.roles === undefined || target.roles.some((role) => roles.includes(role)));
    const model = open === undefined ? asked : pick(open, open.length > 1 ? shareOf(key, name) : 0)?.model;
    // An alias that is not for this caller is no name at all.
    if (model === undefined) return [];
    const further = this.#fallbacks.get(canonicalName(model)) ?? this.#fallbacks.get(name) ?? [];
    return [
      { model, on: undefined },
      ...further.map((fallback) => ({ model: fallback.model, on: new Set(fallback.on ?? usual) })),
    ];
  }

  /** The names of one's own that stand for a model, for a caller with these roles. */
  aliasesOf(model: string, roles: readonly string[]): string[] {
    const wanted = canonicalName(model);
    return [...this.#aliases]
      .filter(([, targets]) =>
        targets.some(
          (target) =>
            canonicalName(target.model) === wanted &&
            (target.roles === undefined || target.roles.some((role) => roles.includes(role))),
        ),
      )
      .map(([name]) => name.replace(/:latest$/, ''));
  }
}
