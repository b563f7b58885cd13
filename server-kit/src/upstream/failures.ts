import { type ErrorCode, type ProtocolError, parseJson } from '@ziggie/llm-protocol';
import { classifyOllamaError, ollamaBodyText } from '@ziggie/llm-protocol/ollama';
import { openAiFailure } from '@ziggie/llm-protocol/openai';
import { KitFailure } from '../failure.ts';
import { ConnectFailed, type UpstreamAnswer } from './transport.ts';

/** How long to wait after a busy model server that did not say. */
const busyRetryAfterMs = 2000;
const maxErrorBytes = 64 * 1024;

// Our own sentences. An upstream's text may hold file paths, addresses and pieces of prompts, so none of it passes.
const sentences: Partial<Record<ErrorCode, string>> = {
  bad_request: 'The model server refused the request as not valid. Check format, options and tools.',
  capability_unsupported:
    'The model cannot do what was asked (tools, thinking, images or this kind of request).',
  context_overflow:
    'The conversation is longer than the model can read. Shorten it or pick a model with a longer context.',
  deadline_exceeded: 'The answer took longer than this server allows. Ask for a shorter one.',
  first_token_timeout: 'The model did not begin to answer in time. Try again.',
  idle_timeout: 'The model stopped in the middle of the answer. Try again.',
  load_timeout: 'The model took too long to load. Try again in a minute.',
  malformed_record: 'The model server sent something that is not an answer.',
  model_not_found: 'There is no such model here. GET /models lists those you may use.',
  model_output_invalid: 'The model wrote a tool call that cannot be read. Try again.',
  out_of_memory: 'The GPU has not enough memory for this. Try again later, shorter, or with a smaller model.',
  response_too_large: 'The answer is larger than this server passes on.',
  runner_crashed: 'The model stopped unexpectedly. Try again.',
  server_busy: 'The model server is busy. Try again in a moment.',
  truncated: 'The connection to the model server broke before the answer was whole. Try again.',
  upstream_error: 'The model server failed. Try again.',
  upstream_unreachable: 'The model server cannot be reached. Try again in a moment.',
};

/** A failure of the model server in the caller's words. `reason` is for the log. */
export function upstreamFailure(
  code: ErrorCode,
  reason: string,
  retryable?: boolean,
  retryAfterMs?: number,
): KitFailure {
  const wait = retryAfterMs ?? (code === 'server_busy' ? busyRetryAfterMs : undefined);
  return new KitFailure(code, sentences[code] ?? 'The model server failed. Try again.', {
    reason,
    retryable,
    retryAfterMs: wait,
  });
}

/** A thrown transport error: before the answer began it is about reaching, after it about breaking off. */
export function transportFailure(thrown: unknown, phase: 'head' | 'body'): KitFailure {
  if (thrown instanceof KitFailure) return thrown;
  const { code, name } = (thrown ?? {}) as { code?: unknown; name?: unknown };
  const reason = typeof code === 'string' ? code : String(name);
  if (thrown instanceof ConnectFailed) return upstreamFailure('upstream_unreachable', reason);
  return upstreamFailure(phase === 'head' ? 'upstream_error' : 'truncated', reason);
}

/** An answer with another status than 200, read as far as it takes to tell what it is. */
export async function statusFailure(
  answer: UpstreamAnswer,
  dialect: 'ollama' | 'openai' = 'ollama',
): Promise<KitFailure> {
  const { status } = answer;
  const raw = await readSome(answer).catch(() => '');
  const { code, retryable } =
    dialect === 'ollama'
      ? classifyOllamaError(status, ollamaBodyText(raw) ?? '', raw)
      : openAiFailure(status, jsonOr(raw));
  return upstreamFailure(
    passableCode(code, status),
    `HTTP ${status}`,
    retryable,
    retryAfterOf(answer.retryAfter),
  );
}

/** An error that stands inside a stream, by the code that protocol gave it. */
export function streamFailure(code: ErrorCode, retryable: boolean): KitFailure {
  return upstreamFailure(passableCode(code, undefined), `error record: ${code}`, retryable);
}

/** Bytes that are not an answer. The error's text gives lengths only, so it may be logged. */
export function recordFailure({ code, message }: ProtocolError): KitFailure {
  return upstreamFailure(code === 'response_too_large' ? code : 'malformed_record', message);
}

/** Codes that are about the caller's own credential, limits or address would be lies when they come from behind us. */
function passableCode(code: ErrorCode, status: number | undefined): ErrorCode {
  if (code === 'rate_limited' || code === 'server_busy' || status === 429) return 'server_busy';
  return sentences[code] === undefined ? 'upstream_error' : code;
}

/** `Retry-After` in whole seconds, as milliseconds. A date is not worth a clock that may differ. */
function retryAfterOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,5}$/.test(header) ? Number(header) * 1000 : undefined;
}

function jsonOr(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

async function readSome({ body }: UpstreamAnswer): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const chunk = await body.read();
    if (chunk === null || text.length > maxErrorBytes) return text;
    text += decoder.decode(chunk, { stream: true });
  }
}
