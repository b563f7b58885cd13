import { answerRoute, type Handler, type RouteRules, type RouteTable } from '../http/routes.ts';
import { empty, failure, json, text } from './answers.ts';
import { anthropicFailure, messages } from './anthropic-routes.ts';
import { headBlob, postBlob } from './blobs.ts';
import { chat } from './chat.ts';
import { notSignedIn } from './cloud.ts';
import { crossOrigin } from './cors.ts';
import { create } from './create.ts';
import { embed, embeddings } from './embed.ts';
import { generate } from './generate.ts';
import { copy, ps, remove, show, tags } from './model-routes.ts';
import { openAiFailure, openAiRoutes } from './openai-routes.ts';
import { pull, push } from './pull.ts';
import type { Incoming, Outgoing, World } from './world.ts';

const root: Handler = () => text('Ollama is running', 200, 'text/plain; charset=utf-8');
const version: Handler = (world) => json({ version: world.version });
const status: Handler = (world) =>
  json({ cloud: { disabled: world.cloudDisabled, source: world.cloudDisabled ? 'env' : 'none' } });
const me: Handler = () => {
  throw notSignedIn();
};

/** Every route by path and method. HEAD stands only where Ollama has it. */
const routes: RouteTable = {
  '/': { GET: root, HEAD: root },
  '/api/version': { GET: version, HEAD: version },
  '/api/status': { GET: status },
  '/api/me': { POST: me },
  '/api/tags': { GET: tags, HEAD: tags },
  '/api/ps': { GET: ps },
  '/api/show': { POST: show },
  '/api/chat': { POST: chat },
  '/api/generate': { POST: generate },
  '/api/embed': { POST: embed },
  '/api/embeddings': { POST: embeddings },
  '/api/copy': { POST: copy },
  '/api/delete': { DELETE: remove },
  '/api/pull': { POST: pull },
  '/api/push': { POST: push },
  '/api/create': { POST: create },
  '/api/blobs/:': { HEAD: headBlob, POST: postBlob },
  ...openAiRoutes,
  '/v1/messages': { POST: messages },
};

const rules: RouteRules = {
  routes,
  redirectsSlash: true,
  notFound: () => text('404 page not found', 404),
  methodNotAllowed: () => text('405 method not allowed', 405),
  failure(cause, path) {
    if (path === '/v1/messages' && !cause.native) return anthropicFailure(cause);
    if (path.startsWith('/v1/') && !cause.native) return openAiFailure(cause);
    return failure(cause);
  },
};

/** The routes that ask for words: what a script without a path answers. */
export const completionPaths: readonly string[] = [
  '/api/chat',
  '/api/generate',
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/responses',
  '/v1/messages',
];

/** Answers a request after the two guards that stand before every route. */
export async function answerAsOllama(world: World, incoming: Incoming): Promise<Outgoing> {
  const cors = crossOrigin(incoming);
  if (cors.answer) return cors.answer;
  const outgoing = incoming.hostAllowed ? await answerRoute(rules, world, incoming) : empty(403);
  return { ...outgoing, headers: { ...outgoing.headers, ...cors.headers } };
}
