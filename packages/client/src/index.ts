export type {
  ChatMessage,
  ChatRequest,
  GenerateRequest,
  ModelInfo,
  ServerStatus,
} from '@ziggie/llm-protocol';
export { systemClock } from './clock.ts';
export { createClient } from './create-client.ts';
export type { EmbedRequest, EmbedResult } from './embed/types.ts';
export { AbortedError } from './errors/aborted-error.ts';
export { ConnectionError } from './errors/connection-error.ts';
export { HttpError } from './errors/http-error.ts';
export { OutputError, type OutputIssue } from './errors/output-error.ts';
export { StreamError } from './errors/stream-error.ts';
export { type TimedPhase, TimeoutError } from './errors/timeout-error.ts';
export { ToolError } from './errors/tool-error.ts';
export { type ErrorPhase, isZiggieError, ZiggieError } from './errors/ziggie-error.ts';
export type { CallInfo, ClientHooks } from './hooks.ts';
export { severalHosts } from './hosts/several-hosts.ts';
export { reconnectNow } from './http/reconnect-now.ts';
export { type EncodeImageOptions, encodeImage, type ImageSource } from './images/encode-image.ts';
export type { ClientTransport } from './internals.ts';
export type { Logger } from './logger.ts';
export { createModelChoice } from './model-choice/create-model-choice.ts';
export { recommendedModels } from './model-choice/recommended-models.ts';
export type {
  Choice,
  ChosenResult,
  ChosenStream,
  ModelChoice,
  ModelChoiceOptions,
} from './model-choice/types.ts';
export type {
  AnswerStats,
  Attempt,
  CallOptions,
  ChatEvent,
  ChatResult,
  ChatStream,
  ClientOptions,
  Clock,
  Credentials,
  PartialAnswer,
  Recovery,
  RetryOptions,
  Timeouts,
  ZiggieClient,
} from './types.ts';
