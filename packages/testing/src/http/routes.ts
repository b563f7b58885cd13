import { empty, text } from '../ollama/answers.ts';
import { ClientLeft, Cut, HttpFailure } from '../ollama/http-failure.ts';
import { canonicalName } from '../ollama/model-name.ts';
import type { Incoming, Outgoing, World } from '../ollama/world.ts';
import { askedBy } from '../script/asked.ts';
import { playDirect } from '../script/direct.ts';

/** Answers a request; `parameter` is what stands in the path's place for one. */
export type Handler = (world: World, incoming: Incoming, parameter: string) => Outgoing | Promise<Outgoing>;

/** Routes by path and method. A path that ends in `/:` takes one more segment. */
export type RouteTable = Readonly<Record<string, Readonly<Record<string, Handler>>>>;

/** How a server words what its routes do not say themselves. */
export interface RouteRules {
  routes: RouteTable;
  /** The answer to a failure on this path. */
  failure(failure: HttpFailure, path: string): Outgoing;
  notFound(path: string): Outgoing;
  methodNotAllowed(): Outgoing;
  /** Whether a path with a slash too many is sent on, as Ollama's router does. */
  redirectsSlash: boolean;
}

/** Finds the route and turns failures into answers. What is thrown is a cut or a client that left. */
export async function answerRoute(rules: RouteRules, world: World, incoming: Incoming): Promise<Outgoing> {
  const { path } = incoming;
  try {
    return await scripted(rules, world, incoming);
  } catch (cause) {
    if (cause instanceof HttpFailure) return rules.failure(cause, path);
    if (cause instanceof Cut || cause instanceof ClientLeft) throw cause;
    // A handler that panics is answered with 500; saying what it was helps whoever mends it.
    const message = `the stand-in failed: ${cause instanceof Error ? cause.message : cause}`;
    return rules.failure(new HttpFailure(500, message), path);
  }
}

/** The answer of a script that stands in place of the route, or of the route itself. */
async function scripted(rules: RouteRules, world: World, incoming: Incoming): Promise<Outgoing> {
  const route = () => routed(rules, world, incoming);
  if (!world.scripts.hasDirect) return route();
  const body = await incoming.readText();
  const steps = world.scripts.takeDirect(() => askedBy(incoming.path, body, canonicalName));
  return steps ? playDirect(world, incoming, steps, route) : route();
}

async function routed(rules: RouteRules, world: World, incoming: Incoming): Promise<Outgoing> {
  const { path, method, query } = incoming;
  const found = find(rules.routes, path);
  if (!found) {
    const trimmed = path.replace(/\/$/, '');
    if (rules.redirectsSlash && trimmed !== path && find(rules.routes, trimmed)?.methods[method]) {
      return redirect(method, trimmed + query);
    }
    return rules.notFound(path);
  }
  const handler = Object.hasOwn(found.methods, method) ? found.methods[method] : undefined;
  if (!handler) {
    const refused = rules.methodNotAllowed();
    return { ...refused, headers: { ...refused.headers, allow: Object.keys(found.methods).join(', ') } };
  }
  return handler(world, incoming, found.parameter);
}

function find(routes: RouteTable, path: string) {
  if (Object.hasOwn(routes, path)) {
    const methods = routes[path];
    return methods && { methods, parameter: '' };
  }
  const at = path.lastIndexOf('/') + 1;
  const pattern = `${path.slice(0, at)}:`;
  const methods = at < path.length && Object.hasOwn(routes, pattern) ? routes[pattern] : undefined;
  return methods && { methods, parameter: decoded(path.slice(at)) };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Go's redirect: a small page for GET, nothing for other methods. */
function redirect(method: string, location: string): Outgoing {
  if (method !== 'GET') return empty(307, { location });
  const page = `<a href="${location.replaceAll('&', '&amp;').replaceAll('"', '&#34;')}">Moved Permanently</a>.\n\n`;
  return {
    ...text(page, 301, 'text/html; charset=utf-8'),
    headers: { location, 'content-type': 'text/html; charset=utf-8' },
  };
}
