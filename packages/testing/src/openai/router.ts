import { answerRoute, type Handler, type RouteRules, type RouteTable } from '../http/routes.ts';
import { empty } from '../ollama/answers.ts';
import { HttpFailure } from '../ollama/http-failure.ts';
import type { Incoming, Outgoing, World } from '../ollama/world.ts';
import { answerChatCompletion, answerCompletion, answerEmbeddings } from './chat-completions.ts';
import { openAiJson } from './chat-surface.ts';
import type { OpenAiServer } from './server.ts';
import { serverRoutes } from './server-routes.ts';
import { unknownModel } from './unknown-model.ts';

/** The routes that ask for words. */
export const openAiCompletionPaths: readonly string[] = ['/v1/chat/completions', '/v1/completions'];

/** Answers as the profile's server: first whether it is up, then who asks, then the route. */
export function answerAsOpenAi(server: OpenAiServer, world: World, incoming: Incoming): Promise<Outgoing> {
  return answerRoute(rulesOf(server, incoming), world, incoming);
}

function rulesOf(server: OpenAiServer, { headers, path }: Incoming): RouteRules {
  const { profile } = server;
  const guard =
    (handler: Handler): Handler =>
    (world, incoming, parameter) => {
      requireUp(server);
      requireKey(server, headers['authorization'], path);
      return handler(world, incoming, parameter);
    };
  const models: Handler = (world) => {
    const data = world.catalog
      .list()
      .map((model) => profile.model(model, Math.floor(model.modifiedAtMs / 1000)));
    return openAiJson(profile, { object: 'list', data });
  };
  const model: Handler = (world, _, name) => {
    const found = world.catalog.find(name);
    if (!found) throw unknownModel(profile.name, name);
    return openAiJson(profile, profile.model(found, Math.floor(found.modifiedAtMs / 1000)));
  };
  const routes: RouteTable = {
    '/v1/chat/completions': {
      POST: (world, incoming) => answerChatCompletion(server, world, incoming),
    },
    '/v1/completions': { POST: (world, incoming) => answerCompletion(server, world, incoming) },
    '/v1/embeddings': { POST: (world, incoming) => answerEmbeddings(server, world, incoming) },
    '/v1/models': { GET: models },
    '/v1/models/:': { GET: model },
    ...serverRoutes(server),
  };
  return {
    routes: Object.fromEntries(
      Object.entries(routes).map(([at, methods]) => [
        at,
        Object.fromEntries(Object.entries(methods).map(([method, handler]) => [method, guard(handler)])),
      ]),
    ),
    redirectsSlash: false,
    failure(cause) {
      const answer = openAiJson(profile, profile.errorBody(cause), cause.status);
      return { ...answer, headers: { ...answer.headers, ...cause.headers }, body: cause.body ?? answer.body };
    },
    notFound: () => notFound(server, path),
    methodNotAllowed: () => ({ ...notFound(server, path), status: 405 }),
  };
}

/** llama.cpp listens at once and says so until the model is there. */
function requireUp(server: OpenAiServer): void {
  if (server.isLoading()) throw new HttpFailure(503, 'Loading model');
}

const publicPaths: readonly string[] = ['/health', '/ping', '/version', '/metrics', '/v1/health'];

function requireKey({ apiKey, profile }: OpenAiServer, given: string | undefined, path: string): void {
  if (apiKey === undefined || publicPaths.includes(path) || given === `Bearer ${apiKey}`) return;
  if (profile.name === 'vllm')
    throw new HttpFailure(401, 'Unauthorized', { body: '{"error":"Unauthorized"}' });
  if (profile.name === 'llama.cpp') throw new HttpFailure(401, 'Invalid API Key');
  const message =
    given === undefined
      ? "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
      : 'Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.';
  throw new HttpFailure(401, message, { code: given === undefined ? undefined : 'invalid_api_key' });
}

function notFound({ profile }: OpenAiServer, path: string): Outgoing {
  if (profile.name === 'vllm') {
    return { ...empty(404, { 'content-type': 'application/json' }), body: '{"detail":"Not Found"}' };
  }
  const message = profile.name === 'llama.cpp' ? 'File Not Found' : `Invalid URL (${path})`;
  return openAiJson(profile, profile.errorBody(new HttpFailure(404, message)), 404);
}
