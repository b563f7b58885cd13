import { createFakeOllama } from '../create-fake-ollama.ts';
import { createFakeOpenAI } from '../create-fake-openai.ts';
import type { FakeOpenAIOptions } from '../openai/options.ts';
import type { FakeOllamaOptions, FakeOllamaServer, FakeOpenAIServer } from '../types.ts';
import { type ListenOptions, listen } from './fake-server.ts';

/** Where the stand-in listens, and its settings. */
export interface StartFakeOllamaOptions extends FakeOllamaOptions, ListenOptions {}

/**
 * Starts the stand-in for Ollama on a socket.
 *
 * @throws {Error} `EADDRINUSE` when the port is taken, as node:net reports it.
 */
export async function startFakeOllama(options: StartFakeOllamaOptions = {}): Promise<FakeOllamaServer> {
  const { port, host, ...settings } = options;
  return listen(createFakeOllama(settings), { port, host }, true);
}

/** Where the stand-in for an OpenAI server listens, and its settings. */
export interface StartFakeOpenAIOptions extends FakeOpenAIOptions, ListenOptions {}

/**
 * Starts the stand-in for a server that speaks OpenAI's dialect on a socket.
 *
 * @throws {Error} `EADDRINUSE` when the port is taken, as node:net reports it.
 */
export async function startFakeOpenAI(options: StartFakeOpenAIOptions = {}): Promise<FakeOpenAIServer> {
  const { port, host, ...settings } = options;
  return listen(createFakeOpenAI(settings), { port, host }, false);
}
