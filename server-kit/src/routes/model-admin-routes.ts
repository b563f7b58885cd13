import * as z from 'zod';
import type { Answer } from '../answer/answer.ts';
import { framingFor } from '../answer/framing.ts';
import { streamHeaders } from '../answer/stream-headers.ts';
import type { CredentialWatch } from '../auth/credential-watch.ts';
import type { Permission } from '../auth/permissions.ts';
import type { Connection } from '../connection.ts';
import type { RequestContext } from '../context.ts';
import { KitFailure } from '../failure.ts';
import {
  deleteModel,
  fleetModels,
  hostsOf,
  loadModel,
  type ModelAdminParts,
  unloadModel,
} from '../models/model-admin.ts';
import type { ModelAdminSettings } from '../models/model-admin-options.ts';
import { PullFeed } from '../models/pull-feed.ts';
import type { PullJob } from '../models/pull-job.ts';
import type { PullJobs } from '../models/pull-jobs.ts';
import { checkPullable, partsOfName } from '../models/pullable-name.ts';
import { headerOf, leftOf } from '../request/direct-request.ts';
import { parse } from '../request/parse.ts';
import { readJsonBody } from '../request/read-body.ts';
import { pathOf } from '../request/target.ts';
import { upstreamFailure } from '../upstream/failures.ts';
import type { JsonAnswer } from './info-routes.ts';
import { idIn } from './route-table.ts';

/** Operations of the routes that change models. */
export type ModelAdminOperation =
  | 'fleet-models'
  | 'load-model'
  | 'unload-model'
  | 'delete-model'
  | 'pulls'
  | 'pull-state'
  | 'cancel-pull';

/** Those that answer with a stream. */
export type PullStreamOperation = 'pull-model' | 'follow-pull';

/** What they need of the kit. */
export interface ModelAdminRouteParts extends ModelAdminParts {
  pulls: PullJobs;
  /** `undefined`: none of it is served. */
  rules: ModelAdminSettings | undefined;
  heartbeatMs: number;
  /** Ends a stream of progress whose reader's credential is taken back. */
  watch: CredentialWatch;
}

const maxBodyBytes = 16 * 1024;
const model = z.string().min(1).max(350);
const hosts = z.array(z.string().min(1).max(64)).min(1).max(256).optional();
const named = z.strictObject({ model, hosts });
const toLoad = z.strictObject({
  model,
  hosts,
  /** Seconds, or a duration as Go writes it; below 0 for ever. */
  keep_alive: z
    .union([
      z.number().min(-1).max(31_536_000),
      z.string().regex(/^-?(?:[0-9]{1,9}(?:\.[0-9]{1,3})?(?:ms|s|m|h)){1,4}$/),
    ])
    .optional(),
});
/** `keep_alive` of 0 is how clients of Ollama say it. */
const toUnload = z.strictObject({ model, hosts, keep_alive: z.literal(0).optional() });
const toPull = z.strictObject({ model, hosts, stream: z.boolean().optional() });

/** `/admin/models` and its verbs, and the list of pulls. @throws {KitFailure} */
export async function modelAdminRoute(
  parts: ModelAdminRouteParts,
  operation: ModelAdminOperation,
  request: Request,
  connection: Connection,
  context: RequestContext,
): Promise<JsonAnswer> {
  const { rights } = context;
  const body = async <T extends { model: string }>(schema: z.ZodType<T>, permission: Permission) => {
    const { value } = await readJsonBody(request, connection, maxBodyBytes, leftOf(request));
    const read = parse(schema, value);
    context.asked = read.model;
    // What somebody may not touch is as little there as what is not there.
    if (partsOfName(read.model) === undefined || !rights.mayUse(permission, read.model)) {
      throw upstreamFailure('model_not_found', 'not a model of the caller’s');
    }
    return { ...read, by: byOf(context), left: leftOf(request) };
  };
  switch (operation) {
    case 'fleet-models':
      return {
        status: 200,
        body: await fleetModels(parts.upstreams, (one) => rights.mayUse('upstreams:read', one)),
      };
    case 'load-model': {
      const ask = await body(toLoad, 'models:load');
      return { status: 200, body: { model: ask.model, hosts: await loadModel(parts, ask, ask.keep_alive) } };
    }
    case 'unload-model': {
      const ask = await body(toUnload, 'models:load');
      return { status: 200, body: { model: ask.model, hosts: await unloadModel(parts, ask) } };
    }
    case 'delete-model': {
      const ask = await body(named, 'models:delete');
      return { status: 200, body: { model: ask.model, hosts: await deleteModel(parts, ask) } };
    }
    case 'pulls': {
      const visible = parts.pulls.list().filter((job) => rights.mayUse('models:pull', job.model));
      return { status: 200, body: { jobs: visible.map((job) => job.shown()) } };
    }
    case 'pull-state':
      return { status: 200, body: pullOf(parts, connection, context).shown() };
    case 'cancel-pull': {
      const job = pullOf(parts, connection, context);
      job.cancel();
      return { status: 204, body: undefined };
    }
  }
}

/**
 * `/admin/models/pull`, and the events of a pull: a stream of its progress, or with `stream: false` what it is now, and it
 * goes on by itself. A stream that its last reader leaves cancels the pull.
 *
 * @throws {KitFailure}
 */
export async function pullRoute(
  parts: ModelAdminRouteParts,
  operation: PullStreamOperation,
  request: Request,
  connection: Connection,
  context: RequestContext,
): Promise<Answer | JsonAnswer> {
  if (operation === 'follow-pull') return follow(parts, pullOf(parts, connection, context), request, context);
  const { value } = await readJsonBody(request, connection, maxBodyBytes, leftOf(request));
  const ask = parse(toPull, value);
  context.asked = ask.model;
  const rules = parts.rules as ModelAdminSettings;
  checkPullable(ask.model, rules);
  if (!context.rights.mayUse('models:pull', ask.model)) {
    throw upstreamFailure('model_not_found', 'no models:pull for it');
  }
  const where = hostsOf(parts.upstreams, ask.hosts);
  const bounds = { maxPulls: rules.maxPulls, silentMs: parts.loadMs };
  const job = parts.pulls.start(ask.model, where, bounds, parts.logger, byOf(context));
  if (ask.stream === false) {
    job.isKept = true;
    return { status: 202, body: job.shown() };
  }
  return follow(parts, job, request, context);
}

async function follow(
  { clock, heartbeatMs, watch }: ModelAdminRouteParts,
  job: PullJob,
  request: Request,
  context: RequestContext,
): Promise<Answer> {
  const feed = new PullFeed(job, clock, heartbeatMs, context);
  feed.onOver = watch.add(feed);
  const left = leftOf(request);
  const leave = () => feed.leave();
  left.addEventListener('abort', leave, { once: true });
  await feed.first();
  left.removeEventListener('abort', leave);
  if (left.aborted) leave();
  if (feed.ownFailure) throw feed.ownFailure;
  // Nothing was said yet: the failure has a status line of its own.
  if (job.failure !== undefined && job.shown().hosts.every(({ last }) => last === undefined)) {
    feed.onOver();
    throw job.failure;
  }
  const framing = framingFor(headerOf(request, 'accept'));
  return { status: 200, headers: streamHeaders(context, framing, feed.id), body: { events: feed, framing } };
}

/** @throws {KitFailure} */
function pullOf(
  { pulls }: ModelAdminRouteParts,
  { target }: Connection,
  { rights }: RequestContext,
): PullJob {
  const job = pulls.find(idIn(pathOf(target)) ?? '');
  if (job === undefined || !rights.mayUse('models:pull', job.model)) {
    throw new KitFailure('not_found', 'There is no such pull. GET /admin/jobs lists them.');
  }
  return job;
}

function byOf({ principal }: RequestContext): string {
  return principal?.id ?? '';
}
