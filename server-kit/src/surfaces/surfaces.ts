import { failureProblem } from '../failure.ts';
import { anthropicFailure } from './anthropic/failure.ts';
import { readMessages } from './anthropic/read-messages.ts';
import { readOllamaChat, readOllamaGenerate } from './ollama/read-request.ts';
import { ollamaFailure } from './ollama/write-answer.ts';
import { readCompletion } from './openai/completions.ts';
import { openAiFailure } from './openai/failure.ts';
import { readOpenAiChat } from './openai/read-chat.ts';
import { readResponse } from './responses/read-response.ts';
import type { Asked, SurfaceName, WriteFailure } from './surface.ts';

/** How a body is read on the foreign addresses that answer a prompt. */
export const readers: Readonly<Record<string, (value: unknown) => Asked>> = {
  '/api/chat': readOllamaChat,
  '/api/generate': readOllamaGenerate,
  '/v1/chat/completions': readOpenAiChat,
  '/v1/completions': readCompletion,
  '/v1/responses': readResponse,
  '/v1/messages': readMessages,
};

/** How a failure is written, by the form of the route it happened on. */
export const writeFailure: Readonly<Record<SurfaceName, WriteFailure>> = {
  native: failureProblem,
  ollama: ollamaFailure,
  openai: openAiFailure,
  anthropic: anthropicFailure,
};
