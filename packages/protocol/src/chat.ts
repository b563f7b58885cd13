/** Who wrote a message. */
export type Role = 'system' | 'user' | 'assistant' | 'tool';

/** A tool call that an assistant message carries. */
export interface ToolCall {
  id: string;
  name: string;
  arguments: Record<string, unknown>;
}

/** One message of a conversation as it is sent to a model. */
export interface ChatMessage {
  role: Role;
  content: string;
  /** The model's thinking, sent back in tool loops. */
  thinking?: string | undefined;
  /** Images as plain base64, without a `data:` prefix. */
  images?: readonly string[] | undefined;
  toolCalls?: readonly ToolCall[] | undefined;
  /** On a `tool` message: which tool answered. Ollama's templates read this or the id, so send both. */
  toolName?: string | undefined;
  toolCallId?: string | undefined;
}

/** A tool the model may call. */
export interface ToolDefinition {
  name: string;
  description?: string | undefined;
  /** JSON Schema of the arguments. */
  parameters: Record<string, unknown>;
}

/** How much a thinking model thinks: on, off, or a level where the model knows levels. */
export type Think = boolean | 'low' | 'medium' | 'high' | 'max';

/** Sampling and size options by Ollama's names; unknown ones are passed on. */
export interface ModelOptions {
  temperature?: number | undefined;
  top_k?: number | undefined;
  top_p?: number | undefined;
  min_p?: number | undefined;
  seed?: number | undefined;
  /** Most tokens to write; -1 is no limit. */
  num_predict?: number | undefined;
  num_ctx?: number | undefined;
  repeat_penalty?: number | undefined;
  presence_penalty?: number | undefined;
  frequency_penalty?: number | undefined;
  stop?: readonly string[] | undefined;
  [option: string]: unknown;
}

interface RequestBase {
  model: string;
  /** `json`, or a JSON Schema that the answer must fit. */
  format?: 'json' | Record<string, unknown> | undefined;
  options?: ModelOptions | undefined;
  /** Left out: the model decides (thinking models think). */
  think?: Think | undefined;
  /** How long the model stays in memory: seconds, or a Go duration such as `10m`. A gateway may ignore it. */
  keepAlive?: number | string | undefined;
}

/** A question to a model with its history. */
export interface ChatRequest extends RequestBase {
  messages: readonly ChatMessage[];
  tools?: readonly ToolDefinition[] | undefined;
}

/** A single prompt without history. */
export interface GenerateRequest extends RequestBase {
  prompt: string;
  system?: string | undefined;
  /** Text after the gap that the model fills; needs the `insert` capability. */
  suffix?: string | undefined;
  images?: readonly string[] | undefined;
  /** Send the prompt without the model's template. */
  raw?: boolean | undefined;
}
