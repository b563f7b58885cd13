export { createManualClock } from './clock/manual-clock.ts';
export { createFakeOllama } from './create-fake-ollama.ts';
export { cutEverywhere } from './cut-everywhere.ts';
export { callTool, cut, error, garbage, huge, say, slow, stall, think } from './script/steps.ts';
export type {
  FakeClock,
  FakeModel,
  FakeOllama,
  FakeOllamaOptions,
  FakeOllamaServer,
  FakeReport,
  ManualClock,
  Script,
  ScriptMatch,
  SeenRequest,
  Step,
} from './types.ts';
