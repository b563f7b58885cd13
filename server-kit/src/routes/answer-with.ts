import { Run, type RunParts, type RunRequest } from '../answer/run.ts';
import type { Connection } from '../connection.ts';
import type { Content } from '../content/content.ts';
import type { RequestContext } from '../context.ts';
import { asFailure } from '../failure.ts';
import type { Lease, LeaseBook } from '../lease.ts';
import { type MeteringParts, type Reservation, reserve } from '../limits/reservation.ts';
import { takeLimits } from '../pipeline.ts';
import { prefixOf } from '../placement/prefix-hashes.ts';
import { priorityOf } from '../queue/priority-header.ts';
import { headerOf, leftOf } from '../request/direct-request.ts';
import { readJsonBody } from '../request/read-body.ts';
import { newId } from '../request/request-id.ts';
import type { StopSignal } from '../stop.ts';
import { canonicalName } from '../upstream/model-name.ts';
import type { FleetCatalog } from '../upstreams/fleet-catalog.ts';
import type { PlaceAsk } from '../upstreams/places.ts';
import type { Task } from './task.ts';

/** What the answering routes need of the kit. */
export interface AnswerParts extends RunParts {
  catalog: FleetCatalog;
  leases: LeaseBook;
  content: Content | undefined;
  metering: MeteringParts;
}

/** A body as a route reads it: what is asked of a model, and whatever its writer needs. */
export interface Read<Form> {
  task: Task;
  form: Form;
}

/** Checks a parsed body of so many bytes. @throws {KitFailure} */
export type ReadBody<Form> = (value: unknown, bytes: number) => Promise<Read<Form>>;

/** How a run is written to whoever asked. Throws what ends it before the first event. */
export type WriteAnswer<Form, Result> = (run: Run, form: Form) => Promise<Result>;

/** The way of every answer, on every surface and over a socket; only the reading and the writing differ. @throws {KitFailure} */
export async function answerWith<Form, Result>(
  parts: AnswerParts,
  request: Request,
  connection: Connection,
  context: RequestContext,
  read: ReadBody<Form>,
  write: WriteAnswer<Form, Result>,
): Promise<Result> {
  const { limits, settler } = parts.metering;
  const holdId = newId('hold');
  // Before the body: one that is still arriving takes memory, so it counts.
  await takeLimits(limits, 'entry', context, holdId);
  settler.opened(holdId);
  let settle = (): void => settler.settle(holdId, []);
  let lease: Lease;
  try {
    lease = parts.leases.open(leftOf(request), () => settle());
  } catch (thrown) {
    settle();
    throw thrown;
  }
  try {
    const turn = turnOf(request, context);
    const { task, form } = await lease.during(
      readBody(parts, request, connection, context, lease.signal, read),
    );
    const model = await lease.during(modelOf(parts, task, context));
    // Not given up half-way: what a store grants must be settled.
    const reservation = await reserveFor(parts, task, model, context, holdId);
    if (lease.signal.aborted) {
      // It was granted while the caller left, and the lease has settled already.
      reservation.settle(holdId, false);
      throw lease.signal.reason;
    }
    const run = new Run(parts, runRequest(task, context, turn, model, reservation), context, lease);
    settle = () => {
      run.release();
      reservation.settle(holdId, run.wasSent && (lease.hasLeft || lease.failure !== undefined));
    };
    run.onPlaced = () => reservation.placed();
    reservation.watch(lease, holdId);
    return await write(run, form);
  } catch (thrown) {
    const failure = lease.failure ?? asFailure(thrown);
    if (lease.hasLeft) context.log('left', 499);
    lease.close();
    throw failure;
  }
}

async function readBody<Form>(
  { settings }: AnswerParts,
  request: Request,
  connection: Connection,
  context: RequestContext,
  signal: StopSignal,
  read: ReadBody<Form>,
): Promise<Read<Form>> {
  const { maxBodyBytes, maxImageBodyBytes } = settings.limits;
  const maxBytes = Math.max(maxBodyBytes, maxImageBodyBytes);
  const { value, bytes } = await readJsonBody(request, connection, maxBytes, signal, maxBodyBytes);
  const known = await read(value, bytes);
  context.mark('body');
  return known;
}

async function modelOf(parts: AnswerParts, { asked }: Task, context: RequestContext): Promise<string> {
  const model = await parts.catalog.resolve(asked, (name) => context.rights.mayUse('chat', name));
  context.model = model;
  context.mark('model');
  return model;
}

async function reserveFor(
  parts: AnswerParts,
  { size, wantedTokens }: Task,
  model: string,
  context: RequestContext,
  holdId: string,
): Promise<Reservation> {
  const { address, principal } = context;
  const subject = { address, principal, model };
  const reservation = await reserve(parts.metering, subject, size, wantedTokens, holdId, (statuses) =>
    context.limits.push(...statuses),
  );
  context.mark('quota');
  return reservation;
}

function runRequest(
  task: Task,
  context: RequestContext,
  turn: RunRequest['turn'],
  model: string,
  { meter, maxTokens, inputTokens }: Reservation,
): RunRequest {
  return {
    asked: task.asked,
    model,
    ask: placeAsk(task, model, context),
    turn,
    callFor: (dialect, name) => task.callFor(dialect, name, maxTokens),
    decoderFor: task.decoderFor,
    holdsBack: task.holdsBack,
    estimatedInputTokens: inputTokens,
    filter: task.filter,
    meter,
  };
}

/** How it stands in a line, by its role and what it asks for. @throws {KitFailure} */
function turnOf(request: Request, { id, rights }: RequestContext): RunRequest['turn'] {
  const { turn } = rights;
  const priority = priorityOf(headerOf(request, 'x-ziggie-priority'), turn);
  return { priority, weight: turn.weight, requestId: id };
}

/** Where it may run: by its model, and by whose prompt begins like it. */
function placeAsk(task: Task, model: string, { principal, address }: RequestContext): PlaceAsk {
  const name = canonicalName(model);
  const tenant = principal?.tenant;
  return {
    model: name,
    principalKey: principal?.id ?? address,
    tenant,
    prefix: () => prefixOf(`${tenant ?? ''}\n${name}`, task.promptParts()),
  };
}
