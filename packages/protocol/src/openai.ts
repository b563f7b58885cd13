export { OpenAiDecoder } from './dialects/openai/decode-chunk.ts';
export { encodeOpenAiChat, encodeOpenAiGenerate } from './dialects/openai/encode-request.ts';
export { type OpenAiFailure, openAiFailure } from './dialects/openai/error-wire.ts';
export { decodeOpenAiModels } from './dialects/openai/models-wire.ts';
export type {
  OpenAiBody,
  OpenAiChoice,
  OpenAiChunk,
  OpenAiContentPart,
  OpenAiDelta,
  OpenAiMessage,
  OpenAiToolCallDelta,
} from './dialects/openai/wire.ts';
