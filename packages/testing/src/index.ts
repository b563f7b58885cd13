export { createManualClock } from './clock/manual-clock.ts';
export { createFakeOllama } from './create-fake-ollama.ts';
export { createFakeOpenAI } from './create-fake-openai.ts';
export { cutEverywhere } from './cut-everywhere.ts';
export { fault, faults } from './faults/fault.ts';
export type { FaultInfo, FaultSide } from './faults/fault-types.ts';
export type { FakeOpenAIOptions, OpenAIProfile } from './openai/options.ts';
export type {
  CutKind,
  Dialect,
  Finish,
  FramePayload,
  RecordedAnswer,
  Script,
  ScriptMatch,
  Shape,
  Step,
} from './script/step-types.ts';
export {
  begin,
  callTool,
  connection,
  cut,
  endless,
  error,
  finish,
  flood,
  frame,
  garbage,
  heartbeats,
  huge,
  replay,
  say,
  shape,
  slow,
  stall,
  think,
  thinkAndSay,
  torn,
  wire,
} from './script/steps.ts';
export type {
  Fake,
  FakeClock,
  FakeModel,
  FakeOllama,
  FakeOllamaOptions,
  FakeOllamaServer,
  FakeOpenAI,
  FakeOpenAIServer,
  FakeReport,
  FakeServer,
  ManualClock,
  SeenRequest,
} from './types.ts';
