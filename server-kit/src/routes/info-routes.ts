import type { ModelList, ServerHealth, ServerStatus } from '@ziggie/llm-protocol';
import type { Clock } from '../clock.ts';
import type { RequestContext } from '../context.ts';
import type { Routing } from '../routing/routing.ts';
import type { FleetCatalog } from '../upstreams/fleet-catalog.ts';
import { version } from '../version.ts';

/** What the routes without a model's answer need of the kit. */
export interface InfoParts {
  catalog: FleetCatalog;
  clock: Clock;
  isDraining: () => boolean;
  routing: Routing;
}

/** A JSON answer before it has headers. */
export interface JsonAnswer {
  status: number;
  body: unknown;
}

/** `/models`: what the caller may use. @throws {KitFailure} when the model server does not answer. */
export async function modelsRoute(
  { catalog, routing }: InfoParts,
  { rights, principal }: RequestContext,
): Promise<JsonAnswer> {
  const models = await catalog.models((model) => rights.mayUse('models:read', model));
  const body: ModelList = {
    models: models.map((model) => {
      const more = routing.aliasesOf(model.name, principal?.roles ?? []);
      return more.length === 0 ? model : { ...model, aliases: [...model.aliases, ...more] };
    }),
  };
  return { status: 200, body };
}

/** `/status`: public, so it says how things are and nothing else. */
export async function statusRoute({ catalog, isDraining }: InfoParts): Promise<JsonAnswer> {
  const { up, of } = await catalog.health();
  const status = up === 0 ? 'down' : up < of || isDraining() ? 'degraded' : 'ok';
  const body: ServerStatus = { status, version };
  return { status: 200, body };
}

/** `/health`: the seed's form, always 200. */
export async function healthRoute({ catalog, clock, isDraining }: InfoParts): Promise<JsonAnswer> {
  const { up, of, models } = await catalog.health();
  const isDegraded = isDraining() || models === 0 || up < of;
  const body: ServerHealth = {
    status: up === 0 ? 'unhealthy' : isDegraded ? 'degraded' : 'healthy',
    ollama_connected: up > 0,
    models_available: models,
    timestamp: new Date(clock.wallNow()).toISOString(),
  };
  return { status: 200, body };
}

/** `/health/live`: the process answers. */
export function liveRoute(): JsonAnswer {
  return { status: 200, body: { status: 'live' } };
}

/** `/health/ready`: whether new work should be sent here. 503 while draining and while no model server answers. */
export async function readyRoute({ catalog, isDraining }: InfoParts): Promise<JsonAnswer> {
  const ready = !isDraining() && (await catalog.health()).up > 0;
  return { status: ready ? 200 : 503, body: { status: ready ? 'ready' : 'not_ready' } };
}
