export { OllamaDecoder, timingsOf } from './dialects/ollama/decode-record.ts';
export { encodeOllamaChat } from './dialects/ollama/encode-chat.ts';
export { encodeOllamaGenerate } from './dialects/ollama/encode-generate.ts';
export {
  classifyOllamaError,
  type OllamaFailure,
  ollamaBodyText,
  ollamaErrorText,
} from './dialects/ollama/error-wire.ts';
export { decodeOllamaModels } from './dialects/ollama/models-wire.ts';
export type {
  OllamaChatBody,
  OllamaGenerateBody,
  OllamaMessage,
  OllamaRecord,
  OllamaToolCall,
} from './dialects/ollama/wire.ts';
