import { KitFailure } from '../failure.ts';

/** Most tokens of one answer, unless the operator says otherwise. */
export const maxPredict = 4096;

/** Sampling options by Ollama's names and the type each has (`api/types.go`, v0.33). */
const sampling: ReadonlyMap<string, 'number' | 'integer' | 'strings'> = new Map([
  ['temperature', 'number'],
  ['top_k', 'integer'],
  ['top_p', 'number'],
  ['min_p', 'number'],
  ['typical_p', 'number'],
  ['repeat_last_n', 'integer'],
  ['repeat_penalty', 'number'],
  ['presence_penalty', 'number'],
  ['frequency_penalty', 'number'],
  ['seed', 'integer'],
  ['stop', 'strings'],
  ['num_predict', 'integer'],
]);

/**
 * Options that decide how a model is loaded. A difference makes Ollama load it anew, so two users with two values would
 * evict each other on every turn: they are the operator's to set and are dropped.
 */
const loadTime: ReadonlySet<string> = new Set([
  'num_ctx',
  'num_batch',
  'num_gpu',
  'main_gpu',
  'use_mmap',
  'num_thread',
  'num_keep',
  'draft_num_predict',
]);

/** Whether Ollama knows an option of this name, be it the caller's to choose or not. */
export function isKnownOption(name: string): boolean {
  return sampling.has(name) || loadTime.has(name);
}

/** What a caller may ask for in options, with the seed's two top-level names. */
export interface WantedOptions {
  options?: Record<string, unknown> | undefined;
  temperature?: number | undefined;
  max_tokens?: number | undefined;
}

/**
 * The options that go upstream: known sampling options of the right type, and always a bounded `num_predict`.
 *
 * @throws {KitFailure} `bad_request` for an unknown option or a wrong type, which Ollama would ignore or answer with 500.
 */
export function optionsFor(wanted: WantedOptions, most: number = maxPredict): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(wanted.options ?? {})) {
    if (loadTime.has(name) || value === null || value === undefined) continue;
    const type = sampling.get(name);
    if (type === undefined) {
      throw new KitFailure(
        'bad_request',
        `The request is not valid. options: unknown option "${shown(name)}".`,
      );
    }
    if (!fits(value, type)) {
      throw new KitFailure(
        'bad_request',
        `The request is not valid. options.${name}: must be ${described[type]}.`,
      );
    }
    options[name] = value;
  }
  if (wanted.temperature !== undefined) options['temperature'] = wanted.temperature;
  options['num_predict'] = Math.min(wantedTokens(wanted), most);
  return options;
}

/** How many tokens an answer may have as far as its caller and the operator go; a quota may have less. */
export function wantedTokens({ max_tokens, options }: WantedOptions): number {
  const asked = max_tokens ?? options?.['num_predict'];
  return typeof asked === 'number' && asked >= 1 ? Math.min(asked, maxPredict) : maxPredict;
}

const described = { number: 'a number', integer: 'a whole number', strings: 'a list of at most 16 strings' };

function fits(value: unknown, type: 'number' | 'integer' | 'strings'): boolean {
  if (type === 'number') return typeof value === 'number' && Number.isFinite(value);
  if (type === 'integer') return Number.isSafeInteger(value);
  return (
    Array.isArray(value) &&
    value.length <= 16 &&
    value.every((one) => typeof one === 'string' && one.length <= 256)
  );
}

function shown(name: string): string {
  return name.slice(0, 40).replace(/[^\w.-]/g, '?');
}
