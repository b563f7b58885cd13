import { messagesSurface } from '../anthropic/messages-surface.ts';
import { readAnthropicMessages, validateMessages } from '../anthropic/read-messages.ts';
import { openAiJson } from '../openai/chat-surface.ts';
import { ollamaProfile } from '../openai/ollama-profile.ts';
import { json } from './answers.ts';
import { answerChat } from './chat.ts';
import { type HttpFailure, readingEarly } from './http-failure.ts';
import { chanceOf, readJsonBody } from './openai-routes.ts';
import { hashText, randomText, seededRandom } from './random.ts';
import { RequestBody } from './request-body.ts';
import type { Incoming, Outgoing, World } from './world.ts';

const HEX = '0123456789abcdef';

/** `POST /v1/messages`: translated to a native chat and back. */
export async function messages(world: World, incoming: Incoming): Promise<Outgoing> {
  const body = await readJsonBody(incoming);
  readingEarly(() => validateMessages(body));
  const canThink = world.catalog.find(String(body['model']))?.capabilities.includes('thinking') ?? false;
  const native = readingEarly(() => readAnthropicMessages(body, canThink));
  const characters = JSON.stringify([body['system'] ?? '', body['messages'], body['tools'] ?? '']).length;
  return answerChat(world, incoming, RequestBody.of(native, 'ChatRequest'), ({ modelAsGiven }) =>
    messagesSurface({
      id: `msg_${randomText(chanceOf(body), HEX, 24)}`,
      model: modelAsGiven,
      guessedTokens: Math.max(1, Math.floor(characters / 4)),
    }),
  );
}

const types: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  503: 'overloaded_error',
};

/** Anthropic's shape of errors. */
export function anthropicFailure(cause: HttpFailure): Outgoing {
  const { status, message } = cause;
  const error = { type: types[status] ?? 'api_error', message };
  const id = `req_${randomText(seededRandom(hashText(message)), HEX, 24)}`;
  const body = { type: 'error', error, request_id: id };
  const answer = cause.early ? json(body, status) : openAiJson(ollamaProfile, body, status);
  return { ...answer, headers: { ...answer.headers, ...cause.headers }, body: cause.body ?? answer.body };
}
