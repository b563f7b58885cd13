import { systemClock } from './clock/system-clock.ts';
import { defaultModels } from './ollama/catalog.ts';
import type { FakeOllamaOptions } from './types.ts';

/** Every setting with a value. */
export type Settings = {
  [Name in Exclude<keyof FakeOllamaOptions, 'registry'>]-?: Exclude<FakeOllamaOptions[Name], undefined>;
} & { registry: FakeOllamaOptions['registry'] };

/**
 * Fills in the defaults.
 *
 * @throws {RangeError} for a number with which nothing would ever be answered.
 */
export function readSettings(options: FakeOllamaOptions): Settings {
  const settings: Settings = {
    models: options.models ?? defaultModels,
    tokensPerSecond: options.tokensPerSecond ?? 40,
    loadMs: options.loadMs ?? 0,
    prefillMsPerToken: options.prefillMsPerToken ?? 0,
    slotsPerModel: options.slotsPerModel ?? 1,
    maxLoadedModels: options.maxLoadedModels ?? 3,
    maxQueue: options.maxQueue ?? 512,
    defaultKeepAliveMs: options.defaultKeepAliveMs ?? 300_000,
    version: options.version ?? '0.33.0',
    registry: options.registry,
    pullBytesPerSecond: options.pullBytesPerSecond ?? 50_000_000,
    cloudDisabled: options.cloudDisabled ?? false,
    clock: options.clock ?? systemClock,
  };
  requireAtLeast('slotsPerModel', settings.slotsPerModel, 1);
  requireAtLeast('maxLoadedModels', settings.maxLoadedModels, 1);
  requireAtLeast('maxQueue', settings.maxQueue, 0);
  requireAtLeast('loadMs', settings.loadMs, 0);
  requireAtLeast('prefillMsPerToken', settings.prefillMsPerToken, 0);
  for (const name of ['tokensPerSecond', 'pullBytesPerSecond'] as const) {
    if (!(settings[name] > 0)) {
      throw new RangeError(`Setting up the stand-in: ${name} is ${settings[name]}, not above 0.`);
    }
  }
  return settings;
}

function requireAtLeast(name: string, value: number, least: number): void {
  // Written so that NaN is refused too.
  if (!(value >= least)) {
    throw new RangeError(`Setting up the stand-in: ${name} is ${value}, and must be at least ${least}.`);
  }
}
