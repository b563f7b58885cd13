import { type ErrorCode, errorKinds } from '../../error-codes.ts';
import { classifyOllamaError } from '../ollama/error-wire.ts';

/** What a failure of an OpenAI-compatible server is in the words of the error table. */
export interface OpenAiFailure {
  code: ErrorCode;
  status: number;
  retryable: boolean;
  /** The server's own words, when it had any. */
  text: string | undefined;
}

/** `error.code` and `error.type` as OpenAI, vLLM, llama.cpp and the gateways in front of them name what happened. */
const kinds: Readonly<Record<string, ErrorCode>> = {
  context_length_exceeded: 'context_overflow',
  exceed_context_size_error: 'context_overflow',
  model_not_found: 'model_not_found',
  insufficient_quota: 'quota_exceeded',
  billing_hard_limit_reached: 'quota_exceeded',
  rate_limit_exceeded: 'rate_limited',
  rate_limit_error: 'rate_limited',
  RateLimitError: 'rate_limited',
  invalid_api_key: 'unauthorized',
  authentication_error: 'unauthorized',
  AuthenticationError: 'unauthorized',
  permission_error: 'forbidden',
  permission_denied_error: 'forbidden',
  not_supported_error: 'capability_unsupported',
  content_policy_violation: 'bad_request',
  // llama.cpp while it loads, and servers under load.
  unavailable_error: 'server_busy',
  overloaded_error: 'server_busy',
  ServiceUnavailableError: 'server_busy',
};

const rules: readonly (readonly [RegExp, ErrorCode])[] = [
  [/maximum context length|context window|available context size|max_model_len/i, 'context_overflow'],
  [/\bmodel\b.*(?:does not exist|not found|not available)/i, 'model_not_found'],
  [/unsupported|not supported|tool.?call.?parser|chat template.*required/i, 'capability_unsupported'],
];

/**
 * Which failure it is, from the HTTP status (`undefined` inside a stream) and the parsed body.
 *
 * Reads `{error: {message, type, code}}` (OpenAI, llama.cpp, vLLM), the flat `{object: "error", message, …}` of older
 * vLLM, FastAPI's `{detail}`, and a plain text. A name for the kind decides, then known texts, then the status; inside a
 * stream a number in `code` is the status.
 */
export function openAiFailure(status: number | undefined, body: unknown): OpenAiFailure {
  const found = read(body);
  const known = status ?? found.status;
  const code = codeOf(known, found);
  const kind = errorKinds[code];
  const { retryable } = code === 'out_of_memory' ? classifyOllamaError(known, found.text ?? '') : kind;
  return { code, status: kind.status, retryable, text: found.text };
}

interface Found {
  text: string | undefined;
  names: string[];
  status: number | undefined;
}

function codeOf(status: number | undefined, { text = '', names }: Found): ErrorCode {
  for (const name of names) {
    const code = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (code) return code;
  }
  // Elsewhere a text that mentions a model or a limit may be about something else.
  if (status === undefined || status === 400 || status === 404 || status === 422) {
    for (const [pattern, code] of rules) if (pattern.test(text)) return code;
  }
  return classifyOllamaError(status, text).code;
}

function read(value: unknown): Found {
  if (typeof value === 'string') return { text: value.trim() || undefined, names: [], status: undefined };
  if (typeof value !== 'object' || value === null) return { text: undefined, names: [], status: undefined };
  const { error, message, detail, type, code } = value as Record<string, unknown>;
  if (error !== undefined && error !== null) return read(error);
  const words = message ?? (Array.isArray(detail) ? (detail[0] as { msg?: unknown } | null)?.msg : detail);
  const number = typeof code === 'string' && /^\d{3}$/.test(code) ? Number(code) : code;
  return {
    text: typeof words === 'string' && words.trim() !== '' ? words.trim() : undefined,
    names: [code, type].filter((name) => typeof name === 'string'),
    status: typeof number === 'number' && number >= 400 && number < 600 ? number : undefined,
  };
}
