/**
 * What OpenAI-compatible servers send, as loosely as it must be read: every member may be absent or of another type.
 * Names follow OpenAI's published schema; the differing ones are of vLLM, llama.cpp's server and Ollama's `/v1`.
 */
export interface OpenAiToolCallDelta {
  index?: unknown;
  id?: unknown;
  function?: { name?: unknown; arguments?: unknown } | null;
}

/** The part of a choice that holds what the model wrote. */
export interface OpenAiDelta {
  content?: unknown;
  /** vLLM before 0.9, llama.cpp, DeepSeek. */
  reasoning_content?: unknown;
  /** vLLM from 0.9, Ollama, OpenRouter. */
  reasoning?: unknown;
  thinking?: unknown;
  tool_calls?: unknown;
  refusal?: unknown;
}

/** One choice of a chunk, or of a whole answer (`message` instead of `delta`). */
export interface OpenAiChoice {
  index?: unknown;
  delta?: OpenAiDelta | null;
  message?: OpenAiDelta | null;
  /** Of `/v1/completions`. */
  text?: unknown;
  finish_reason?: unknown;
  error?: unknown;
}

/** One chunk of a stream. */
export interface OpenAiChunk {
  id?: unknown;
  model?: unknown;
  object?: unknown;
  choices?: unknown;
  usage?: unknown;
  error?: unknown;
  /** llama.cpp: how long the phases took. */
  timings?: unknown;
}

/** One message as it is sent. */
export interface OpenAiMessage {
  role: string;
  content: string | null | OpenAiContentPart[];
  tool_calls?: { id: string; type: 'function'; function: { name: string; arguments: string } }[];
  tool_call_id?: string;
}

/** A part of a message with images. */
export type OpenAiContentPart =
  | { type: 'text'; text: string }
  | { type: 'image_url'; image_url: { url: string } };

/** Body of `POST /v1/chat/completions` and `/v1/completions`, with whatever options the caller added. */
export type OpenAiBody = { model: string; stream: boolean } & Record<string, unknown>;
