/**
 * What Ollama sends and takes, as loosely as it must be read: every member may be absent or of another type when a
 * proxy or another version stands in between. Names follow `api/types.go` of ollama/ollama, read at v0.33.
 */
export interface OllamaToolCall {
  id?: unknown;
  function?: { index?: unknown; name?: unknown; arguments?: unknown };
}

/** One record of `/api/chat` or `/api/generate`, streamed or complete. */
export interface OllamaRecord {
  model?: unknown;
  created_at?: unknown;
  message?: { role?: unknown; content?: unknown; thinking?: unknown; tool_calls?: unknown };
  response?: unknown;
  thinking?: unknown;
  tool_calls?: unknown;
  done?: unknown;
  done_reason?: unknown;
  error?: unknown;
  /** All durations are integer nanoseconds, and absent when 0. */
  total_duration?: unknown;
  load_duration?: unknown;
  prompt_eval_count?: unknown;
  prompt_eval_duration?: unknown;
  eval_count?: unknown;
  eval_duration?: unknown;
}

/** One message as Ollama takes it. */
export interface OllamaMessage {
  role: string;
  content: string;
  thinking?: string | undefined;
  images?: readonly string[] | undefined;
  tool_calls?: { id?: string; function: { name: string; arguments: Record<string, unknown> } }[] | undefined;
  tool_name?: string | undefined;
  tool_call_id?: string | undefined;
}

/** Body of `POST /api/chat`. */
export interface OllamaChatBody {
  model: string;
  messages: OllamaMessage[];
  stream: boolean;
  tools?: { type: 'function'; function: Record<string, unknown> }[] | undefined;
  format?: unknown;
  options?: Record<string, unknown> | undefined;
  think?: unknown;
  keep_alive?: number | string | undefined;
}

/** Body of `POST /api/generate`. */
export interface OllamaGenerateBody {
  model: string;
  prompt: string;
  stream: boolean;
  system?: string | undefined;
  suffix?: string | undefined;
  images?: readonly string[] | undefined;
  raw?: boolean | undefined;
  format?: unknown;
  options?: Record<string, unknown> | undefined;
  think?: unknown;
  keep_alive?: number | string | undefined;
}
