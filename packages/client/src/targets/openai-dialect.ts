import { type ErrorCode, ProtocolError } from '@ziggie/llm-protocol';
import {
  decodeOpenAiModels,
  encodeOpenAiChat,
  encodeOpenAiGenerate,
  OpenAiDecoder,
  openAiFailure,
} from '@ziggie/llm-protocol/openai';
import { DirectDecoder } from './direct-decoder.ts';
import type { ReportedFailure, Reports, Speech } from './target.ts';

/** What OpenAI-compatible servers have in common. */
export const dialect: Speech & Reports = {
  // They have no status in common; a list of models is an answer.
  statusPath: '/models',
  chat: (request) => ({ path: '/chat/completions', body: encodeOpenAiChat(request, true) }),
  generate(request) {
    const { kind, body } = encodeOpenAiGenerate(request, true);
    return { path: kind === 'chat' ? '/chat/completions' : '/completions', body };
  },
  decoder: (model) => new DirectDecoder(model, new OpenAiDecoder()),
  readFailure,

  listModels: (get) => get('/models', (body) => decodeOpenAiModels(listOf(body))),

  readStatus(body) {
    listOf(body);
    return { status: 'ok', version: '' };
  },
};

function listOf(body: unknown): unknown {
  const data = (body as { data?: unknown } | null)?.data;
  if (data !== null && !Array.isArray(data)) {
    throw new ProtocolError(
      'malformed_record',
      'Reading the list of models: the body is not what OpenAI-compatible servers send. Is baseUrl right?',
    );
  }
  return body;
}

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
