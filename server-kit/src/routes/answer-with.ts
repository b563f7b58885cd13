import type { AnswerRun } from '../answer/answer-run.ts';
import { asHeaderValue } from '../answer/header-list.ts';
import { Run, type RunParts, type RunRequest } from '../answer/run.ts';
import type { AnswerCache } from '../cache/answer-cache.ts';
import type { Connection } from '../connection.ts';
import type { Content } from '../content/content.ts';
import type { RequestContext } from '../context.ts';
import { asFailure, type KitFailure } from '../failure.ts';
import type { Lease, LeaseBook } from '../lease.ts';
import { type MeteringParts, type Reservation, reserve } from '../limits/reservation.ts';
import { takeLimits } from '../pipeline.ts';
import { priorityOf } from '../queue/priority-header.ts';
import { headerOf, leftOf } from '../request/direct-request.ts';
import { type JsonBody, readJsonBody } from '../request/read-body.ts';
import { newId } from '../request/request-id.ts';
import type { Candidate, Routing } from '../routing/routing.ts';
import type { FallbackReason } from '../routing/routing-options.ts';
import { reasonOf } from '../routing/why-not.ts';
import type { StopSignal } from '../stop.ts';
import type { Streams } from '../streams/streams.ts';
import { upstreamFailure } from '../upstream/failures.ts';
import { canonicalName } from '../upstream/model-name.ts';
import type { FleetCatalog } from '../upstreams/fleet-catalog.ts';
import { runRequest } from './run-request.ts';
import type { Task } from './task.ts';

/** What the answering routes need of the kit. */
export interface AnswerParts extends RunParts {
  catalog: FleetCatalog;
  routing: Routing;
  /** Why a model cannot answer at once, as far as is known. */
  whyNotNow: (model: string) => FallbackReason | undefined;
  leases: LeaseBook;
  content: Content | undefined;
  streams: Streams;
  cache: AnswerCache | undefined;
  metering: MeteringParts;
}

/** A body as a route reads it: what is asked of a model, and whatever its writer needs. */
export interface Read<Form> {
  task: Task;
  form: Form;
}

/** Checks a parsed body of so many bytes. Throws or rejects with a `KitFailure`. */
export type ReadBody<Form> = (value: unknown, bytes: number) => Read<Form> | Promise<Read<Form>>;

/** How a run is written to whoever asked. Throws what ends it before the first event. */
export type WriteAnswer<Form, Result> = (run: AnswerRun, form: Form) => Promise<Result>;

/** An answer that is there already, for a question that may have one; `undefined` asks a model. @throws {KitFailure} */
export type FindAnswer<Form, Result> = (
  asked: Read<Form> & { model: string },
  lease: Lease,
) => Promise<Result | undefined>;

/** The way of every answer, on every surface and over a socket; only the reading and the writing differ. @throws {KitFailure} */
export async function answerWith<Form, Result>(
  parts: AnswerParts,
  request: Request,
  connection: Connection,
  context: RequestContext,
  read: ReadBody<Form>,
  write: WriteAnswer<Form, Result>,
  find?: FindAnswer<Form, Result>,
): Promise<Result> {
  const { limits, settler } = parts.metering;
  let holdId = newId('hold');
  // Before the body: one that is still arriving takes memory, so it counts.
  const taken = takeLimits(limits, 'entry', context, holdId);
  if (taken instanceof Promise) await taken;
  settler.opened(holdId);
  let settle = (): void => settler.settle(holdId, []);
  let lease: Lease;
  try {
    lease = parts.leases.open(leftOf(request), () => settle(), context.admission);
  } catch (thrown) {
    settle();
    throw thrown;
  }
  try {
    const turn = turnOf(request, context);
    // It breaks off by itself when the request must end.
    const body = await readBody(parts, request, connection, lease.signal);
    if (lease.signal.aborted) throw lease.signal.reason;
    const known = read(body.value, body.bytes);
    const { task, form } = known instanceof Promise ? await lease.during(known) : known;
    context.mark('body');
    const during: During = (work) => (lease.isClosed ? work : lease.during(work));
    return await answerByOneOf(parts, context, task, during, async (model) => {
      if (lease.isClosed) {
        // The model before failed, and its lease ended with it.
        holdId = newId('hold');
        await takeLimits(limits, 'entry', context, holdId);
        settler.opened(holdId);
        const id = holdId;
        settle = () => settler.settle(id, []);
        lease = parts.leases.open(leftOf(request), () => settle(), context.admission);
      }
      const found = find && (await find({ task, form, model }, lease));
      if (found !== undefined) return found;
      // Not given up half-way: what a store grants must be settled.
      const reserving = reserveFor(parts, task, model, context, holdId);
      const reservation = reserving instanceof Promise ? await reserving : reserving;
      if (lease.signal.aborted) {
        // It was granted while the caller left, and the lease has settled already.
        reservation.settle(holdId, false);
        throw lease.signal.reason;
      }
      const [runLease, runHold] = [lease, holdId];
      const wanted = runRequest(task, context, turn, model, reservation);
      let run: AnswerRun;
      if (parts.cache === undefined) run = new Run(parts, wanted, context, runLease);
      else {
        settle = () => reservation.settle(runHold, false);
        run = await parts.cache.run({
          ...{ parts, task, model, context, request: wanted, lease: runLease },
          control: headerOf(request, 'cache-control'),
          meter: reservation.meter,
          maxTokens: reservation.maxTokens,
        });
        if (runLease.signal.aborted) {
          run.release();
          throw runLease.signal.reason;
        }
      }
      settle = () => {
        run.release();
        reservation.settle(runHold, run.wasSent && (runLease.hasLeft || runLease.failure !== undefined));
      };
      // A name first: V8 puts a function that stands right behind `x.y =` among the old objects, and all it sees with it.
      const onPlaced = () => reservation.placed();
      run.onPlaced = onPlaced;
      reservation.watch(lease, holdId);
      try {
        return await write(run, form);
      } catch (thrown) {
        const failure = lease.failure ?? asFailure(thrown);
        if (run.hasBegun || lease.hasLeft) throw new Final(failure);
        // What it held is free for the next one.
        lease.close();
        throw failure;
      }
    });
  } catch (thrown) {
    const failure = lease.failure ?? asFailure(thrown instanceof Final ? thrown.failure : thrown);
    if (lease.hasLeft) context.log('left', 499);
    lease.close();
    throw failure;
  }
}

/** Gives up a wait when the caller leaves. */
type During = <T>(work: Promise<T>) => Promise<T>;

/** A failure of an answer that had begun: no other model is tried for it. */
class Final {
  readonly failure: KitFailure;

  constructor(failure: KitFailure) {
    this.failure = failure;
  }
}

/**
 * Answers with the model that was asked for, or with the first of its fallbacks that is there for a reason that holds. A
 * model that the caller may not use is no fallback. When none can, the first failure is told.
 */
function answerByOneOf<Result>(
  parts: AnswerParts,
  context: RequestContext,
  { asked }: Task,
  during: During,
  answer: (model: string) => Promise<Result>,
): Promise<Result> {
  const { principal } = context;
  const caller = { key: principal?.id ?? context.address, roles: principal?.roles ?? [] };
  const candidates = parts.routing.candidates(asked, caller);
  const resolve = (name: string): string | Promise<string> => {
    const model = modelOf(parts, name, asked, context);
    return model instanceof Promise ? during(model) : model;
  };
  const [only] = candidates;
  if (only === undefined || candidates.length > 1) return answerByFirstOf(parts, candidates, resolve, answer);
  const model = resolve(only.model);
  return model instanceof Promise ? model.then(answer) : answer(model);
}

async function answerByFirstOf<Result>(
  parts: AnswerParts,
  candidates: readonly Candidate[],
  resolve: (name: string) => string | Promise<string>,
  answer: (model: string) => Promise<Result>,
): Promise<Result> {
  let reason: FallbackReason | undefined;
  let first: KitFailure | undefined;
  /** Passed over because it was not free; comes back when nobody else can. */
  let later: string | undefined;
  for (const [at, { model: name, on }] of candidates.entries()) {
    if (on && (reason === undefined || !on.has(reason))) continue;
    try {
      const model = await resolve(name);
      const next = candidates.slice(at + 1);
      const notNow = next.length > 0 ? parts.whyNotNow(model) : undefined;
      if (notNow && next.some((one) => one.on?.has(notNow))) {
        later ??= model;
        reason = notNow;
        continue;
      }
      return await answer(model);
    } catch (thrown) {
      if (thrown instanceof Final) throw thrown;
      const failure = asFailure(thrown);
      first ??= failure;
      reason = reasonOf(failure.code);
      if (reason === undefined) throw thrown;
    }
  }
  if (later !== undefined) return answer(await resolve(later));
  throw first ?? upstreamFailure('model_not_found', 'no name for this caller');
}

function readBody(
  { settings }: AnswerParts,
  request: Request,
  connection: Connection,
  signal: StopSignal,
): Promise<JsonBody> {
  const { maxBodyBytes, maxImageBodyBytes } = settings.limits;
  const maxBytes = Math.max(maxBodyBytes, maxImageBodyBytes);
  return readJsonBody(request, connection, maxBytes, signal, maxBodyBytes);
}

/** The model's own name on the upstreams. @throws {KitFailure} `model_not_found`, also for one that is not the caller's. */
function modelOf(
  parts: AnswerParts,
  name: string,
  asked: string,
  context: RequestContext,
): string | Promise<string> {
  const model = parts.catalog.resolve(name, (one) => context.rights.mayUse('chat', one));
  if (model instanceof Promise) return model.then((found) => noteModel(found, asked, context));
  return noteModel(model, asked, context);
}

function noteModel(model: string, asked: string, context: RequestContext): string {
  context.model = model;
  // Forms that have no place for it say it here.
  if (canonicalName(model) !== canonicalName(asked)) {
    context.asked = asked;
    context.headers.set('x-ziggie-model', asHeaderValue(model));
  }
  context.mark('model');
  return model;
}

function reserveFor(
  parts: AnswerParts,
  { size, wantedTokens }: Task,
  model: string,
  context: RequestContext,
  holdId: string,
): Reservation | Promise<Reservation> {
  const { address, principal } = context;
  const subject = { address, principal, model };
  const reserving = reserve(parts.metering, subject, size, wantedTokens, holdId, (statuses) => {
    for (const status of statuses) context.limits.push(status);
  });
  const noted = (reservation: Reservation) => {
    context.mark('quota');
    return reservation;
  };
  return reserving instanceof Promise ? reserving.then(noted) : noted(reserving);
}

/** How it stands in a line, by its role and what it asks for. @throws {KitFailure} */
function turnOf(request: Request, { id, rights }: RequestContext): RunRequest['turn'] {
  const { turn } = rights;
  const priority = priorityOf(headerOf(request, 'x-ziggie-priority'), turn);
  return { priority, weight: turn.weight, requestId: id };
}
