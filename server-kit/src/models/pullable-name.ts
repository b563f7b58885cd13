import { KitFailure } from '../failure.ts';
import { isNamedBy } from '../upstream/model-pattern.ts';

/** What may be pulled. */
export interface PullRules {
  /**
   * Names, beginnings such as `llama3*`, or `*` for all; a name with a host must also have its host in `registries`.
   */
  readonly pull: readonly string[];
  /** Hosts that a name may begin with, such as `hf.co`. */
  readonly registries: readonly string[];
}

// The parts of Ollama's names, and nothing beyond: no scheme, no dot segment, no `@digest`, no white space.
const host = '[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::[0-9]{1,5})?';
const namespace = '[A-Za-z0-9_][A-Za-z0-9_-]{0,79}';
const model = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}';
const grammar = new RegExp(`^(?:(?:(${host})/)?(${namespace})/)?(${model})(?::(${model}))?$`);

/** The parts of a model's name; `undefined` when it is not one. */
export function partsOfName(name: string): { host: string | undefined } | undefined {
  const found = name.length > 350 || name.includes('..') ? null : grammar.exec(name);
  return found === null ? undefined : { host: found[1]?.toLowerCase() };
}

/**
 * Whether a model may be brought from outside: its name is one, its registry is allowed, and the operator's list has it.
 * A host in a name makes the model server call that host, so none passes that is not listed.
 *
 * @throws {KitFailure} `bad_request`: who may pull may not do less for a name that is wrong here.
 */
export function checkPullable(name: string, { pull, registries }: PullRules): void {
  const parts = partsOfName(name);
  if (parts === undefined) {
    throw new KitFailure(
      'bad_request',
      'This is not the name of a model. Names look like "llama3.2:3b" or "library/llama3.2".',
    );
  }
  if (parts.host !== undefined && !registries.includes(parts.host)) {
    throw new KitFailure(
      'bad_request',
      'Models of this registry may not be pulled here. The operator lists registries in modelAdmin.registries.',
    );
  }
  if (!pull.some((pattern) => isNamedBy(pattern, name))) {
    throw new KitFailure(
      'bad_request',
      'This model may not be pulled here. The operator lists what may in modelAdmin.pull.',
    );
  }
}
