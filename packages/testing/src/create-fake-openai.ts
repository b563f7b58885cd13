import { createFake } from './create-fake.ts';
import type { FakeOpenAIOptions } from './openai/options.ts';
import { llamaCppProfile, openAiProfile, vllmProfile } from './openai/profiles.ts';
import { answerAsOpenAi, openAiCompletionPaths } from './openai/router.ts';
import { readSettings } from './settings.ts';
import type { FakeOpenAI } from './types.ts';

const profiles = { vllm: vllmProfile, 'llama.cpp': llamaCppProfile, openai: openAiProfile };

/**
 * A stand-in for a server that speaks OpenAI's dialect, in process: vLLM, llama.cpp's server or OpenAI itself. The
 * scripts, the report and the clock are those of the stand-in for Ollama.
 *
 * @throws {TypeError} for a model name with characters that no server takes, or an unknown profile.
 * @throws {RangeError} for a setting with which nothing would ever be answered.
 */
export function createFakeOpenAI(options: FakeOpenAIOptions = {}): FakeOpenAI {
  const { profile: name = 'openai', thinkingFields, apiKey, slots, loadMs = 0, ...rest } = options;
  const known = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (!known) {
    throw new TypeError(
      `Setting up the stand-in: there is no profile "${name}". Take one of ${Object.keys(profiles).join(', ')}.`,
    );
  }
  const profile = { ...known, thinkingFields: thinkingFields ?? known.thinkingFields };
  const settings = readSettings({
    ...rest,
    slotsPerModel: slots ?? (name === 'llama.cpp' ? 4 : 256),
    maxLoadedModels: Number.MAX_SAFE_INTEGER,
    defaultKeepAliveMs: Number.POSITIVE_INFINITY,
  });
  const readyAtMs = settings.clock.now() + loadMs;
  const server = { profile, apiKey, isLoading: () => settings.clock.now() < readyAtMs };
  return createFake(settings, openAiCompletionPaths, (world, incoming) =>
    answerAsOpenAi(server, world, incoming),
  );
}
