import type { Handler, RouteTable } from '../http/routes.ts';
import { openAiChatSurface, openAiJson } from '../openai/chat-surface.ts';
import { completionSurface } from '../openai/completion-surface.ts';
import { ollamaProfile } from '../openai/ollama-profile.ts';
import { defined, readOpenAiChat } from '../openai/read-chat.ts';
import { readOpenAiCompletion } from '../openai/read-completion.ts';
import { readOpenAiResponses } from '../openai/read-responses.ts';
import { responsesSurface } from '../openai/responses-surface.ts';
import { json } from './answers.ts';
import { answerChat } from './chat.ts';
import { type Embedded, embedInputs } from './embed.ts';
import { answerGenerate } from './generate.ts';
import { HttpFailure, readingEarly } from './http-failure.ts';
import { hashText, seededRandom } from './random.ts';
import { RequestBody } from './request-body.ts';
import { base64Vector } from './vectors.ts';
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
  const { native, includeUsage } = readingEarly(() =>
    readOpenAiChat(body, {
      thinkOf,
      readsMaxCompletionTokens: false,
      noMessages: "[] is too short - 'messages'",
    }),
  );
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

/** `POST /v1/completions`: translated to a native generate. */
async function completions(world: World, incoming: Incoming): Promise<Outgoing> {
  const body = await readJsonBody(incoming);
  const { native, includeUsage } = readingEarly(() => readOpenAiCompletion(body));
  const random = chanceOf(body);
  return answerGenerate(world, incoming, RequestBody.of(native, 'GenerateRequest'), ({ modelAsGiven }) =>
    completionSurface({
      profile: ollamaProfile,
      id: `cmpl-${Math.floor(random() * 999)}`,
      createdS: nowS(world),
      model: modelAsGiven,
      includeUsage,
    }),
  );
}

/** `POST /v1/responses`: a stateless part of it, translated to a native chat. */
async function responses(world: World, incoming: Incoming): Promise<Outgoing> {
  const body = await readJsonBody(incoming);
  const native = readingEarly(() => readOpenAiResponses(body, thinkOf));
  const random = chanceOf(body);
  return answerChat(world, incoming, RequestBody.of(native, 'ChatRequest'), ({ modelAsGiven }) =>
    responsesSurface({
      number: () => Math.floor(random() * 999_999),
      createdS: nowS(world),
      completedS: () => nowS(world),
      model: modelAsGiven,
      echo: defined({
        instructions: body['instructions'],
        max_output_tokens: body['max_output_tokens'],
        temperature: body['temperature'],
        tools: body['tools'],
      }),
    }),
  );
}

/** `POST /v1/embeddings` */
async function openAiEmbeddings(world: World, incoming: Incoming): Promise<Outgoing> {
  const body = await readJsonBody(incoming);
  const embedded = await embedInputs(world, incoming, RequestBody.of(body, 'EmbedRequest'));
  incoming.onRecord();
  incoming.onComplete();
  return openAiJson(
    ollamaProfile,
    embeddingList(embedded, embedded.modelAsGiven, body['encoding_format'] === 'base64'),
  );
}

/** Vectors as OpenAI's dialect lists them. */
export function embeddingList({ vectors, tokens }: Embedded, model: string, asBase64: boolean) {
  return {
    object: 'list',
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      embedding: asBase64 ? base64Vector(vector) : vector,
      index,
    })),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
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
  return readingEarly(() => {
    if (text === '') throw new HttpFailure(400, 'EOF');
    return RequestBody.parse(text, 'ChatCompletionRequest').members;
  });
}

/** The same answer has the same ids on every run. */
export function chanceOf(body: unknown): () => number {
  return seededRandom(hashText(JSON.stringify(body)));
}

export function nowS(world: World): number {
  return Math.floor(world.wallTime(world.clock.now()).epochMs / 1000);
}

export function openAiFailure(cause: HttpFailure): Outgoing {
  const body = ollamaProfile.errorBody(cause);
  const answer = cause.early ? json(body, cause.status) : openAiJson(ollamaProfile, body, cause.status);
  return { ...answer, headers: { ...answer.headers, ...cause.headers }, body: cause.body ?? answer.body };
}

export const openAiRoutes: RouteTable = {
  '/v1/chat/completions': { POST: chatCompletions },
  '/v1/completions': { POST: completions },
  '/v1/embeddings': { POST: openAiEmbeddings },
  '/v1/responses': { POST: responses },
  '/v1/models': { GET: models },
  '/v1/models/:': { GET: model },
};
