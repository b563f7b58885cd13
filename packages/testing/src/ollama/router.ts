import { empty, failure, json, text } from './answers.ts';
import { chat } from './chat.ts';
import { crossOrigin } from './cors.ts';
import { embed, embeddings } from './embed.ts';
import { generate } from './generate.ts';
import { ClientLeft, Cut, HttpFailure } from './http-failure.ts';
import { copy, ps, show, tags } from './model-routes.ts';
import type { Incoming, Outgoing, World } from './world.ts';

type Handler = (world: World, incoming: Incoming) => Outgoing | Promise<Outgoing>;

const root: Handler = () => text('Ollama is running', 200, 'text/plain; charset=utf-8');
const version: Handler = (world) => json({ version: world.version });

/** Every route by path and method. HEAD stands only where Ollama has it. */
const routes: Record<string, Record<string, Handler>> = {
  '/': { GET: root, HEAD: root },
  '/api/version': { GET: version, HEAD: version },
  '/api/tags': { GET: tags, HEAD: tags },
  '/api/ps': { GET: ps },
  '/api/show': { POST: show },
  '/api/chat': { POST: chat },
  '/api/generate': { POST: generate },
  '/api/embed': { POST: embed },
  '/api/embeddings': { POST: embeddings },
  '/api/copy': { POST: copy },
};

/** Answers a request after the two guards that stand before every route. */
export async function answer(world: World, incoming: Incoming): Promise<Outgoing> {
  const cors = crossOrigin(incoming);
  if (cors.answer) return cors.answer;
  const outgoing = incoming.hostAllowed ? await route(world, incoming) : empty(403);
  return { ...outgoing, headers: { ...outgoing.headers, ...cors.headers } };
}

/** Finds the route and turns failures into answers. What is thrown is a cut or a client that left. */
async function route(world: World, incoming: Incoming): Promise<Outgoing> {
  const { path, method, query } = incoming;
  const methods = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (!methods) {
    const trimmed = path.replace(/\/$/, '');
    if (trimmed !== path && Object.hasOwn(routes, trimmed) && routes[trimmed]?.[method]) {
      return redirect(method, trimmed + query);
    }
    return text('404 page not found', 404);
  }
  const handler = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (!handler) {
    const refused = text('405 method not allowed', 405);
    return { ...refused, headers: { ...refused.headers, allow: Object.keys(methods).join(', ') } };
  }
  try {
    return await handler(world, incoming);
  } catch (cause) {
    if (cause instanceof HttpFailure) return failure(cause);
    if (cause instanceof Cut || cause instanceof ClientLeft) throw cause;
    // Ollama's handlers answer a panic with 500; saying what it was helps whoever mends it.
    return failure(
      new HttpFailure(500, `the stand-in failed: ${cause instanceof Error ? cause.message : cause}`),
    );
  }
}

/** Go's redirect: a small page for GET, nothing for other methods. */
function redirect(method: string, location: string): Outgoing {
  if (method !== 'GET') return empty(307, { location });
  const page = `<a href="${location.replaceAll('&', '&amp;').replaceAll('"', '&#34;')}">Moved Permanently</a>.\n\n`;
  return { status: 301, headers: { location, 'content-type': 'text/html; charset=utf-8' }, body: page };
}
