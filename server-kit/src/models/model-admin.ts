import type { ModelInfo } from '@ziggie/llm-protocol';
import type { Clock } from '../clock.ts';
import { asFailure, KitFailure } from '../failure.ts';
import type { Logger } from '../log/logger.ts';
import type { LoadShepherd } from '../queue/load-shepherd.ts';
import type { StopSignal } from '../stop.ts';
import { upstreamFailure } from '../upstream/failures.ts';
import { canonicalName } from '../upstream/model-name.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import type { Upstreams } from '../upstreams/upstreams.ts';
import { type Patience, patienceForLoad, patienceForVerb } from './patience.ts';
import { recordsOf } from './upstream-calls.ts';

/** What changing models needs of the kit. */
export interface ModelAdminParts {
  upstreams: Upstreams;
  shepherd: LoadShepherd;
  clock: Clock;
  logger: Logger;
  /** How long a load may take, and how long anything else that a server is asked to do. */
  loadMs: number;
  verbMs: number;
}

/** A model on one server. */
export interface HostModel {
  host: string;
  memory: 'loaded' | 'loading' | 'absent' | 'unknown';
  sizeVramBytes: number | null;
  expiresAt: string | null;
  inFlight: number;
  typicalLoadMs: number | null;
}

/** A model on all servers that have it. */
export interface FleetModel extends Omit<ModelInfo, 'loaded' | 'aliases'> {
  hosts: HostModel[];
}

/** Who does something, and to what. */
export interface AdminAsk {
  model: string;
  /** On which servers; default as each verb says. */
  hosts?: readonly string[] | undefined;
  by: string;
  left: StopSignal;
}

/** Every model on every server that answers, and the servers that do not. */
export async function fleetModels(
  upstreams: Upstreams,
  mayUse: (model: string) => boolean,
): Promise<{ models: FleetModel[]; unreachable: string[] }> {
  const models = new Map<string, FleetModel>();
  const unreachable: string[] = [];
  await Promise.all(
    upstreams.all.map(async (upstream) => {
      const list = await upstream.catalog.models().catch(() => undefined);
      if (list === undefined) unreachable.push(upstream.id);
      for (const { loaded, aliases: _, ...model } of list ?? []) {
        if (!mayUse(model.name)) continue;
        const name = canonicalName(model.name);
        const known = models.get(name) ?? { ...model, hosts: [] };
        models.set(name, known);
        const memory = loaded ? 'loaded' : upstream.memoryOf(name);
        known.hosts.push({
          host: upstream.id,
          memory,
          sizeVramBytes: loaded?.sizeVramBytes ?? null,
          expiresAt: loaded?.expiresAt ?? null,
          inFlight: upstream.runs(name).inFlight,
          typicalLoadMs: upstream.catalog.typicalLoadMs(name),
        });
      }
    }),
  );
  const order = new Map(upstreams.all.map(({ id }, at) => [id, at]));
  const at = (host: string) => order.get(host) ?? 0;
  for (const { hosts } of models.values()) hosts.sort((a, b) => at(a.host) - at(b.host));
  return {
    models: [...models.values()].sort((a, b) => a.name.localeCompare(b.name, 'en')),
    unreachable: unreachable.sort((a, b) => at(a) - at(b)),
  };
}

/**
 * The servers of these ids that hold models of their own, or all of them.
 *
 * @throws {KitFailure} `not_found` for an id that is none, `capability_unsupported` for a server that only serves.
 */
export function hostsOf(upstreams: Upstreams, ids: readonly string[] | undefined): Upstream[] {
  if (ids === undefined) {
    const all = upstreams.all.filter(({ dialect }) => dialect === 'ollama');
    if (all.length > 0) return all;
    throw noModelsOfItsOwn();
  }
  return [...new Set(ids)].map((id) => {
    const found = upstreams.find(id);
    if (!found) {
      throw new KitFailure('not_found', 'There is no such upstream. GET /admin/upstreams lists them by id.');
    }
    if (found.dialect !== 'ollama') throw noModelsOfItsOwn();
    return found;
  });
}

function noModelsOfItsOwn(): KitFailure {
  return new KitFailure(
    'capability_unsupported',
    'The models of an OpenAI-compatible server are its own affair. Change them there.',
  );
}

/**
 * Brings a model into memory: on the servers named, else where it is already, else where the least is in the way.
 *
 * @throws {KitFailure} `model_not_found` when no such server has it.
 */
export async function loadModel(
  parts: ModelAdminParts,
  ask: AdminAsk,
  keepAlive: number | string | undefined,
): Promise<string[]> {
  const { clock, loadMs } = parts;
  const having = await holdersOf(parts, ask);
  const chosen = ask.hosts === undefined ? [bestFor(having, canonicalName(ask.model), clock.now())] : having;
  await done(parts, 'models.load', ask, chosen, async (upstream) => {
    const name = nameOn(upstream, ask.model);
    await parts.shepherd.warm(upstream, name, loadMs, ask.left);
    // How long it stays is said in a second request: the first may have been somebody else's.
    const patience = patienceForLoad(clock, loadMs);
    if (keepAlive !== undefined) await setKeepAlive(upstream, name, keepAlive, ask.left, patience);
  });
  return chosen.map(({ id }) => id);
}

/**
 * Takes a model out of memory, where it is, as soon as its running answers are over; does not wait for that.
 *
 * @throws {KitFailure} `model_not_found` when no such server has it.
 */
export async function unloadModel(parts: ModelAdminParts, ask: AdminAsk): Promise<string[]> {
  const { clock, verbMs } = parts;
  const canonical = canonicalName(ask.model);
  const having = await holdersOf(parts, ask);
  const loaded = having.filter(
    (upstream) => ask.hosts !== undefined || upstream.memoryOf(canonical) !== 'absent',
  );
  await done(parts, 'models.unload', ask, loaded, async (upstream) => {
    const name = nameOn(upstream, ask.model);
    await setKeepAlive(upstream, name, 0, ask.left, patienceForVerb(clock, verbMs));
    const runs = upstream.runs(canonical);
    if (runs.inFlight === 0) runs.goneAt = clock.now();
    await upstream.catalog.isLoaded(canonical, Number.NEGATIVE_INFINITY);
  });
  return loaded.map(({ id }) => id);
}

/**
 * Deletes a model, on the servers named or on all that have it.
 *
 * @throws {KitFailure} `model_not_found` when no such server has it.
 */
export async function deleteModel(parts: ModelAdminParts, ask: AdminAsk): Promise<string[]> {
  const having = await holdersOf(parts, ask);
  await done(parts, 'models.delete', ask, having, async (upstream) => {
    const body = { model: nameOn(upstream, ask.model) };
    const patience = patienceForVerb(parts.clock, parts.verbMs);
    await recordsOf(upstream.transport, { method: 'DELETE', path: '/api/delete', body }, ask.left, patience);
    await upstream.catalog.look().catch(() => {});
  });
  return having.map(({ id }) => id);
}

/** The servers asked for that have the model now. @throws {KitFailure} */
async function holdersOf({ upstreams }: ModelAdminParts, { model, hosts }: AdminAsk): Promise<Upstream[]> {
  const asked = hostsOf(upstreams, hosts);
  const wanted = canonicalName(model);
  const ends = await Promise.allSettled(
    asked.map(async (upstream) => {
      await upstream.catalog.look();
      await upstream.catalog.isLoaded(wanted, Number.NEGATIVE_INFINITY);
      return upstream.catalog.knownNames()?.has(wanted) ? upstream : undefined;
    }),
  );
  // A server that was named and does not answer is not one that lacks the model.
  const failed = ends.find((end) => end.status === 'rejected');
  const having = ends.flatMap((end) => (end.status === 'fulfilled' && end.value ? [end.value] : []));
  if (failed && (hosts !== undefined || having.length === 0)) throw asFailure(failed.reason);
  if (having.length === 0 || (hosts !== undefined && having.length < asked.length)) {
    throw upstreamFailure('model_not_found', 'no upstream asked for has it');
  }
  return having;
}

function bestFor(having: readonly Upstream[], canonical: string, now: number): Upstream {
  const cost = (upstream: Upstream): number => {
    const { isDrained, breaker, totalInFlight } = upstream;
    if (isDrained || !breaker.mayPass(now)) return 1000;
    const memory = upstream.memoryOf(canonical);
    if (memory === 'loaded' || memory === 'loading') return 0;
    return (
      1 +
      (upstream.victimsOf(canonical, upstream.inMemory(), () => 0).length === 0 ? 0 : 100) +
      Math.min(totalInFlight, 99)
    );
  };
  return having.reduce((best, one) => (cost(one) < cost(best) ? one : best));
}

function nameOn({ catalog }: Upstream, model: string): string {
  return catalog.knownNames()?.get(canonicalName(model))?.name ?? model;
}

async function setKeepAlive(
  { transport }: Upstream,
  model: string,
  keepAlive: number | string,
  left: StopSignal,
  patience: Patience,
): Promise<void> {
  const body = { model, keep_alive: keepAlive, stream: false };
  await recordsOf(transport, { method: 'POST', path: '/api/generate', body }, left, patience);
}

/** Does something on each server and writes down who did it, to what, and how it ended. @throws {KitFailure} of the first. */
async function done(
  { logger }: ModelAdminParts,
  action: string,
  { model, by }: AdminAsk,
  upstreams: readonly Upstream[],
  work: (upstream: Upstream) => Promise<void>,
): Promise<void> {
  const ends = await Promise.allSettled(upstreams.map(work));
  ends.forEach((end, at) => {
    const failure = end.status === 'rejected' ? asFailure(end.reason) : undefined;
    const why = failure && { code: failure.code, reason: failure.more.reason };
    const fields = { action, model, host: upstreams[at]?.id, by, state: failure ? 'failed' : 'done', ...why };
    logger.info(fields, 'llm admin');
  });
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw asFailure(failed.reason);
}
