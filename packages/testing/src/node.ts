export { type StartFakeOllamaOptions, startFakeOllama } from './node/server.ts';
export type { FakeOllamaServer } from './types.ts';
