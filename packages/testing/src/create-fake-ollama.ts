import { createFake } from './create-fake.ts';
import { answerAsOllama, completionPaths } from './ollama/router.ts';
import { readSettings } from './settings.ts';
import type { FakeOllama, FakeOllamaOptions } from './types.ts';

/**
 * A stand-in for Ollama in process: routes, scheduler and wire form are those of Ollama, the answers are prepared texts.
 *
 * @throws {TypeError} for a model name that Ollama would refuse.
 * @throws {RangeError} for a setting with which nothing would ever be answered.
 */
export function createFakeOllama(options: FakeOllamaOptions = {}): FakeOllama {
  return createFake(readSettings(options), completionPaths, answerAsOllama);
}
