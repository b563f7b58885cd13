import { type ErrorCode, type ErrorEvent, errorKinds, type StreamEventBody } from '@ziggie/llm-protocol';
import {
  classifyOllamaError,
  encodeOllamaChat,
  encodeOllamaGenerate,
  OllamaDecoder,
  ollamaBodyText,
} from '@ziggie/llm-protocol/ollama';
import { DirectDecoder } from './direct-decoder.ts';
import type { Dialect, ReportedFailure } from './target.ts';

/** Ollama's own API. */
export const dialect: Dialect = {
  chat: (request) => ({ path: '/api/chat', body: encodeOllamaChat(request, true) }),
  generate: (request) => ({ path: '/api/generate', body: encodeOllamaGenerate(request, true) }),
  decoder: (model) => new DirectDecoder(model, new QuietDecoder()),
  readFailure,
};

/** The decoder of protocol; what it says about unusable output is not shown. */
class QuietDecoder extends OllamaDecoder {
  override read(record: string, events: StreamEventBody[]): void {
    super.read(record, events);
    const last = events.at(-1);
    if (last?.type === 'error') events[events.length - 1] = withoutOutput(last);
  }
}

function readFailure(status: number, body: string): ReportedFailure {
  const text = ollamaBodyText(body);
  const { code, retryable } = classifyOllamaError(status, text ?? '', body);
  return { code, text: quotesOutput(code) ? undefined : text, retryable, signinUrl: signinUrlOf(body) };
}

/** Ollama quotes what the model wrote when it cannot parse it. That is an answer, and answers stay out of messages. */
function quotesOutput(code: ErrorCode): boolean {
  return code === 'model_output_invalid';
}

function withoutOutput(event: ErrorEvent): ErrorEvent {
  return quotesOutput(event.code) ? { ...event, message: errorKinds[event.code].title } : event;
}

function signinUrlOf(body: string): string | undefined {
  try {
    const url = (JSON.parse(body) as { signin_url?: unknown } | null)?.signin_url;
    return typeof url === 'string' && url.startsWith('https://') ? url : undefined;
  } catch {
    return undefined;
  }
}
