import type { InstalledModel } from './catalog.ts';
import { goJson } from './go-json.ts';
import { HttpFailure } from './http-failure.ts';
import { isObject } from './request-body.ts';

type GoType = 'integer' | 'float32' | 'boolean' | 'array';

/** The options that Ollama knows, with the type it demands. All others are ignored. */
const optionTypes: Record<string, GoType> = {
  num_keep: 'integer',
  seed: 'integer',
  num_predict: 'integer',
  top_k: 'integer',
  top_p: 'float32',
  min_p: 'float32',
  typical_p: 'float32',
  repeat_last_n: 'integer',
  temperature: 'float32',
  repeat_penalty: 'float32',
  presence_penalty: 'float32',
  frequency_penalty: 'float32',
  stop: 'array',
  num_ctx: 'integer',
  num_batch: 'integer',
  num_gpu: 'integer',
  main_gpu: 'integer',
  use_mmap: 'boolean',
  num_thread: 'integer',
  draft_num_predict: 'integer',
};

const javaScriptTypes: Record<GoType, (value: unknown) => boolean> = {
  integer: (value) => typeof value === 'number',
  float32: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  array: Array.isArray,
};

/** What an answer is bounded by, and what its model must be loaded with. */
export interface ReadOptions {
  contextLength: number;
  /** `Infinity` when there is no bound. */
  numPredict: number;
  stops: readonly string[];
  loadKey: string;
}

/** Ollama's context for a machine with less than 23 GiB of VRAM. */
const DEFAULT_CONTEXT_LENGTH = 4096;

/**
 * Reads `options` and `shift`.
 *
 * @throws {HttpFailure} 500 for a wrong type: Ollama reports this mistake of the caller as its own.
 */
export function readOptions(model: InstalledModel, given: unknown, shift: boolean | undefined): ReadOptions {
  const options = isObject(given) ? given : {};
  for (const [name, type] of Object.entries(optionTypes)) {
    const value = options[name];
    if (value !== undefined && value !== null && !javaScriptTypes[type](value)) {
      throw new HttpFailure(500, `option "${name}" must be of type ${type}`);
    }
  }
  const number = (name: string, fallback: number) => Math.trunc(Number(options[name] ?? fallback));
  const contextLength = Math.min(number('num_ctx', DEFAULT_CONTEXT_LENGTH), model.contextLength);
  const numPredict = number('num_predict', -1);
  const stops = Array.isArray(options['stop']) ? options['stop'] : [];
  if (stops.some((stop) => typeof stop !== 'string')) {
    throw new HttpFailure(500, 'option "stop" must be of an array of strings');
  }
  return {
    contextLength,
    numPredict: numPredict > 0 ? numPredict : Number.POSITIVE_INFINITY,
    stops,
    loadKey: goJson([
      contextLength,
      number('num_batch', 512),
      number('num_gpu', -1),
      number('main_gpu', 0),
      options['use_mmap'] ?? null,
      number('num_thread', 0),
      number('draft_num_predict', 4),
      shift ?? true,
    ]),
  };
}
