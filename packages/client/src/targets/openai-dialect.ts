import type { ErrorCode } from '@ziggie/llm-protocol';
import {
  encodeOpenAiChat,
  encodeOpenAiGenerate,
  OpenAiDecoder,
  openAiFailure,
} from '@ziggie/llm-protocol/openai';
import { DirectDecoder } from './direct-decoder.ts';
import type { Dialect, ReportedFailure } from './target.ts';

/** What OpenAI-compatible servers have in common. */
export const dialect: Dialect = {
  chat: (request) => ({ path: '/chat/completions', body: encodeOpenAiChat(request, true) }),
  generate(request) {
    const { kind, body } = encodeOpenAiGenerate(request, true);
    return { path: kind === 'chat' ? '/chat/completions' : '/completions', body };
  },
  decoder: (model) => new DirectDecoder(model, new OpenAiDecoder()),
  readFailure,
};

function readFailure(status: number, body: string): ReportedFailure {
  let parsed: unknown = body;
  try {
    parsed = JSON.parse(body);
  } catch {
    // A page of a proxy says nothing to people; a line of text may.
    if (body.trimStart().startsWith('<')) parsed = undefined;
  }
  const { code, retryable, text } = openAiFailure(status, parsed);
  return { code, retryable, text: quotesOutput(code) ? undefined : text };
}

/** What the model wrote, in words of the server that could not parse it: answers stay out of messages. */
function quotesOutput(code: ErrorCode): boolean {
  return code === 'model_output_invalid';
}
