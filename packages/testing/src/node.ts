export {
  type StartFakeOllamaOptions,
  type StartFakeOpenAIOptions,
  startFakeOllama,
  startFakeOpenAI,
} from './node/server.ts';
export type { FakeOllamaServer, FakeOpenAIServer, FakeServer } from './types.ts';
