import type { Handler, RouteTable } from '../http/routes.ts';
import { openAiChatSurface, openAiJson } from '../openai/chat-surface.ts';
import { ollamaProfile } from '../openai/ollama-profile.ts';
import { readOpenAiChat } from '../openai/read-chat.ts';
import { answerChat } from './chat.ts';
import { HttpFailure } from './http-failure.ts';
import { hashText, seededRandom } from './random.ts';
import { RequestBody } from './request-body.ts';
import type { Incoming, Outgoing, World } from './world.ts';

const efforts: Record<string, boolean | string> = {
  none: false,
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  max: 'max',
  xhigh: 'max',
  ultra: 'max',
};

function thinkOf(effort: unknown): unknown {
  const think = typeof effort === 'string' && Object.hasOwn(efforts, effort) ? efforts[effort] : undefined;
  if (think !== undefined) return think;
  throw new HttpFailure(
    400,
    `invalid reasoning value: ${JSON.stringify(effort)} (must be "minimal", "low", "medium", "high", "xhigh", "ultra", "max", or "none")`,
  );
}

/** `POST /v1/chat/completions`: translated to a native chat and back, as Ollama's middleware does. */
async function chatCompletions(world: World, incoming: Incoming): Promise<Outgoing> {
  const body = await readJsonBody(incoming);
  const { native, includeUsage } = readOpenAiChat(body, {
    thinkOf,
    readsMaxCompletionTokens: false,
    noMessages: "[] is too short - 'messages'",
  });
  return answerChat(world, incoming, RequestBody.of(native, 'ChatRequest'), ({ modelAsGiven, topLogprobs }) =>
    openAiChatSurface({
      profile: ollamaProfile,
      id: ollamaProfile.chatId(chanceOf(body)),
      createdS: nowS(world),
      model: modelAsGiven,
      includeUsage,
      topLogprobs,
      toolCallId: (piece) => piece.id,
    }),
  );
}

/** `GET /v1/models`: `data` is `null` when no model is installed. */
const models: Handler = (world) => {
  const list = world.catalog
    .list()
    .map((model) => ollamaProfile.model(model, Math.floor(model.modifiedAtMs / 1000)));
  return openAiJson(ollamaProfile, { object: 'list', data: list.length === 0 ? null : list });
};

/** `GET /v1/models/:model` */
const model: Handler = (world, _, name) => {
  const found = world.catalog.find(name);
  if (!found) throw new HttpFailure(404, `model '${name}' not found`);
  return openAiJson(ollamaProfile, {
    ...ollamaProfile.model(found, Math.floor(found.modifiedAtMs / 1000)),
    id: name,
  });
};

/** The body as JSON; an empty one is Go's `EOF`. */
export async function readJsonBody(incoming: Incoming): Promise<Record<string, unknown>> {
  const text = await incoming.readText();
  if (text === '') throw new HttpFailure(400, 'EOF');
  return RequestBody.parse(text, 'ChatCompletionRequest').members;
}

/** The same answer has the same ids on every run. */
export function chanceOf(body: unknown): () => number {
  return seededRandom(hashText(JSON.stringify(body)));
}

export function nowS(world: World): number {
  return Math.floor(world.wallTime(world.clock.now()).epochMs / 1000);
}

export function openAiFailure(cause: HttpFailure): Outgoing {
  const answer = openAiJson(ollamaProfile, ollamaProfile.errorBody(cause), cause.status);
  return { ...answer, headers: { ...answer.headers, ...cause.headers }, body: cause.body ?? answer.body };
}

export const openAiRoutes: RouteTable = {
  '/v1/chat/completions': { POST: chatCompletions },
  '/v1/models': { GET: models },
  '/v1/models/:': { GET: model },
};
