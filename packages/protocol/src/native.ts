export { encodeOllamaChat } from './dialects/ollama/encode-chat.ts';
export { NDJSON_CONTENT_TYPE } from './framing/ndjson.ts';
export { SSE_CONTENT_TYPE } from './framing/sse.ts';
export { parseJson } from './json/parse-json.ts';
export { HEARTBEAT_INTERVAL_MS, MAX_ANSWER_BYTES, MAX_RECORD_BYTES } from './limits.ts';
export { ProtocolError } from './protocol-error.ts';
export { isRetryable } from './retryable.ts';
