import { type Answer, jsonAnswer } from '../answer/answer.ts';
import { completeAnswer } from '../answer/complete-answer.ts';
import { type EventSource, EventStream } from '../answer/event-stream.ts';
import { framingFor } from '../answer/framing.ts';
import { Run, type RunParts, type RunRequest } from '../answer/run.ts';
import type { Clock } from '../clock.ts';
import type { Connection } from '../connection.ts';
import type { Content } from '../content/content.ts';
import type { ContentFacts } from '../content/content-options.ts';
import type { RequestContext } from '../context.ts';
import { asFailure, KitFailure } from '../failure.ts';
import type { Lease, LeaseBook } from '../lease.ts';
import { type MeteringParts, type Reservation, reserve } from '../limits/reservation.ts';
import { takeLimits } from '../pipeline.ts';
import { prefixOf } from '../placement/prefix-hashes.ts';
import { priorityOf } from '../queue/priority-header.ts';
import {
  type ChatBody,
  countImages,
  type GenerateBody,
  maxImages,
  parseChat,
  parseGenerate,
} from '../request/chat-shape.ts';
import { headerOf, leftOf } from '../request/direct-request.ts';
import { sizeOf } from '../request/input-size.ts';
import { wantedTokens } from '../request/options-policy.ts';
import { readJsonBody, tooLarge } from '../request/read-body.ts';
import { newId } from '../request/request-id.ts';
import { holdsBack } from '../request/upstream-body.ts';
import { TickStream } from '../selftest/tick-stream.ts';
import type { StopSignal } from '../stop.ts';
import { canonicalName } from '../upstream/model-name.ts';
import type { FleetCatalog } from '../upstreams/fleet-catalog.ts';
import type { PlaceAsk } from '../upstreams/places.ts';
import { callFor } from '../upstreams/upstream-call.ts';

/** What the answering routes need of the kit. */
export interface AnswerParts extends RunParts {
  catalog: FleetCatalog;
  leases: LeaseBook;
  content: Content | undefined;
  metering: MeteringParts;
}

/** How a run is written to whoever asked. Throws what ends it before the first event. */
export type WriteAnswer<Result> = (run: Run, body: ChatBody | GenerateBody) => Promise<Result>;

/**
 * `/chat`, `/generate` and `/generate-complete`: body, shape, policy, then the model server.
 *
 * @throws {KitFailure} for everything that ends before the status line.
 */
export function answerRoute(
  parts: AnswerParts,
  request: Request,
  connection: Connection,
  context: RequestContext,
): Promise<Answer> {
  return answerWith(parts, request, connection, context, (run, body) =>
    context.route.operation !== 'generate-complete' && body.stream !== false
      ? streamed(parts, run, request)
      : complete(parts, run),
  );
}

/** The way of every answer, over HTTP and over a socket; only the writing at its end differs. @throws {KitFailure} */
export async function answerWith<Result>(
  parts: AnswerParts,
  request: Request,
  connection: Connection,
  context: RequestContext,
  write: WriteAnswer<Result>,
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
    const body = await lease.during(checkedBody(parts, request, connection, context, lease.signal));
    const model = await lease.during(modelOf(parts, body, context));
    // Not given up half-way: what a store grants must be settled.
    const reservation = await reserveFor(parts, body, model, context, holdId);
    if (lease.signal.aborted) {
      // It was granted while the caller left, and the lease has settled already.
      reservation.settle(holdId, false);
      throw lease.signal.reason;
    }
    const run = new Run(parts, runRequest(parts, context, turn, body, model, reservation), context, lease);
    settle = () => {
      run.release();
      reservation.settle(holdId, run.wasSent && (lease.hasLeft || lease.failure !== undefined));
    };
    run.onPlaced = () => reservation.placed();
    reservation.watch(lease, holdId);
    return await write(run, body);
  } catch (thrown) {
    const failure = lease.failure ?? asFailure(thrown);
    if (lease.hasLeft) context.log('left', 499);
    lease.close();
    throw failure;
  }
}

async function checkedBody(
  parts: AnswerParts,
  request: Request,
  connection: Connection,
  context: RequestContext,
  signal: StopSignal,
): Promise<ChatBody | GenerateBody> {
  const { maxBodyBytes, maxImageBodyBytes } = parts.settings.limits;
  const maxBytes = Math.max(maxBodyBytes, maxImageBodyBytes);
  const { value, bytes } = await readJsonBody(request, connection, maxBytes, signal, maxBodyBytes);
  const body = checkedShape(value, bytes, context, parts);
  context.mark('body');
  return parts.content
    ? parts.content.input(body, contentFacts(body, context), (changed) =>
        checkedShape(changed, 0, context, parts),
      )
    : body;
}

/** @throws {KitFailure} */
function checkedShape(
  value: unknown,
  bytes: number,
  context: RequestContext,
  { settings }: AnswerParts,
): ChatBody | GenerateBody {
  const { maxBodyBytes } = settings.limits;
  const body = context.route.operation === 'chat' ? parseChat(value) : parseGenerate(value);
  const images = countImages(body);
  if (images > maxImages)
    throw new KitFailure('bad_request', `The request carries more than ${maxImages} images.`);
  // The larger limit is for images alone.
  if (images === 0 && bytes > maxBodyBytes) throw tooLarge(maxBodyBytes);
  return body;
}

function contentFacts(body: ChatBody | GenerateBody, { id, principal }: RequestContext): ContentFacts {
  return {
    requestId: id,
    operation: 'messages' in body ? 'chat' : 'generate',
    principal: principal ?? { id: '', roles: [] },
    model: body.model,
  };
}

async function modelOf(
  parts: AnswerParts,
  body: ChatBody | GenerateBody,
  context: RequestContext,
): Promise<string> {
  const model = await parts.catalog.resolve(body.model, (name) => context.rights.mayUse('chat', name));
  context.model = model;
  context.mark('model');
  return model;
}

async function reserveFor(
  parts: AnswerParts,
  body: ChatBody | GenerateBody,
  model: string,
  context: RequestContext,
  holdId: string,
): Promise<Reservation> {
  const { address, principal } = context;
  const subject = { address, principal, model };
  const reservation = await reserve(
    parts.metering,
    subject,
    sizeOf(body),
    wantedTokens(body),
    holdId,
    (statuses) => context.limits.push(...statuses),
  );
  context.mark('quota');
  return reservation;
}

function runRequest(
  parts: AnswerParts,
  context: RequestContext,
  turn: RunRequest['turn'],
  body: ChatBody | GenerateBody,
  model: string,
  { meter, maxTokens }: Reservation,
): RunRequest {
  return {
    asked: body.model,
    model,
    isChat: 'messages' in body,
    ask: placeAsk(body, model, context),
    turn,
    callFor: (dialect, name) => callFor(dialect, body, name, maxTokens),
    holdsBack: holdsBack(body),
    filter: parts.content?.output(contentFacts(body, context)),
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
function placeAsk(
  body: ChatBody | GenerateBody,
  model: string,
  { principal, address }: RequestContext,
): PlaceAsk {
  const name = canonicalName(model);
  const tenant = principal?.tenant;
  return {
    model: name,
    principalKey: principal?.id ?? address,
    tenant,
    prefix: () => prefixOf(`${tenant ?? ''}\n${name}`, promptParts(body)),
  };
}

/** What a model reads, in the order in which it reads it. */
function promptParts(body: ChatBody | GenerateBody): string[] {
  if (!('messages' in body)) return [body.system ?? '', body.prompt];
  const tools = body.tools?.length ? [JSON.stringify(body.tools)] : [];
  return [...tools, ...body.messages.map(({ role, content }) => `${role}\n${content}`)];
}

/** The events of a run, once the first of them is there. @throws {KitFailure} when the run fails before. */
export async function openStream(parts: AnswerParts, run: Run): Promise<EventStream> {
  const { clock, timeouts } = parts.settings;
  const stream = new EventStream(run, timeouts.heartbeatMs, () => clock.now());
  const failure = await stream.first;
  if (failure) throw failure;
  return stream;
}

async function streamed(parts: AnswerParts, run: Run, request: Request): Promise<Answer> {
  const stream = await openStream(parts, run);
  run.context.mark('upstream');
  return streamAnswer(stream, request, run.context);
}

/** Events as an answer, in the framing that the request asks for. */
function streamAnswer(
  stream: EventSource & { id: string },
  request: Request,
  context: RequestContext,
): Answer {
  const framing = framingFor(headerOf(request, 'accept'));
  const headers = context.finalHeaders();
  headers.set('content-type', framing.contentType);
  headers.set('cache-control', 'no-store, no-transform');
  // nginx would hold tokens back without this.
  headers.set('x-accel-buffering', 'no');
  headers.set('x-ziggie-stream-id', stream.id);
  return { status: 200, headers, body: { events: stream, framing } };
}

/** `/admin/selftest/stream`: what an answer would be, from no model. */
export function selftestRoute(clock: Clock, request: Request, context: RequestContext): Answer {
  context.log('ok', 200);
  return streamAnswer(new TickStream(clock), request, context);
}

async function complete(parts: AnswerParts, run: Run): Promise<Answer> {
  const { context, lease } = run;
  const answer = await completeAnswer(run, new Date(parts.settings.clock.wallNow()));
  lease.close();
  context.mark('upstream');
  context.log('ok', 200);
  return jsonAnswer(200, JSON.stringify(answer), context.finalHeaders());
}
