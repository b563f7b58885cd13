export type {
  ChatMessage,
  ChatRequest,
  GenerateRequest,
  ModelOptions,
  Role,
  Think,
  ToolCall,
  ToolDefinition,
} from './chat.ts';
export {
  type ErrorCode,
  type ErrorKind,
  errorCodeForStatus,
  errorKinds,
  isErrorCode,
} from './error-codes.ts';
export { encodeNdjson, NDJSON_CONTENT_TYPE, NDJSON_HEARTBEAT, NdjsonSplitter } from './framing/ndjson.ts';
export {
  type ClientFrame,
  type ServerFrame,
  SOCKET_PING_INTERVAL_MS,
  SOCKET_SUBPROTOCOL,
  SOCKET_TICKET_PREFIX,
  type SocketTicket,
  socketCloseCodes,
} from './framing/socket-frame.ts';
export { encodeSse, SSE_CONTENT_TYPE, SSE_HEARTBEAT } from './framing/sse.ts';
export { type OnSseEvent, SseSplitter } from './framing/sse-splitter.ts';
export { parseJson } from './json/parse-json.ts';
export { PartialJson } from './json/partial-json.ts';
export { HEARTBEAT_INTERVAL_MS, MAX_ANSWER_BYTES, MAX_JSON_DEPTH, MAX_RECORD_BYTES } from './limits.ts';
export type { Capability, ModelInfo, ModelList, ServerHealth, ServerStatus } from './model.ts';
export { isProblem, PROBLEM_CONTENT_TYPE, type Problem, problemOf } from './problem.ts';
export { ProtocolError } from './protocol-error.ts';
export { streamPath } from './resume.ts';
export { isRetryable } from './retryable.ts';
export {
  type DoneEvent,
  type ErrorEvent,
  isStreamEvent,
  isTerminal,
  type LoadingEvent,
  type QueuedEvent,
  type RestartEvent,
  type StartEvent,
  type StreamEvent,
  type StreamEventBody,
  type TextDeltaEvent,
  type ThinkingDeltaEvent,
  type ToolCallEvent,
  type UsageEvent,
} from './stream-event.ts';
export type { FinishReason, Timings, Usage } from './usage.ts';
