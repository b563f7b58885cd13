import { completeAnswer } from '../answer/complete-answer.ts';
import { EventStream, framingFor } from '../answer/event-stream.ts';
import { Run, type RunParts, type RunRequest } from '../answer/run.ts';
import type { Connection } from '../connection.ts';
import type { RequestContext } from '../context.ts';
import { asFailure, KitFailure } from '../failure.ts';
import type { LeaseBook } from '../lease.ts';
import {
  type ChatBody,
  countImages,
  type GenerateBody,
  maxImages,
  parseChat,
  parseGenerate,
} from '../request/chat-shape.ts';
import { readJsonBody, tooLarge } from '../request/read-body.ts';
import { holdsBack, upstreamBody } from '../request/upstream-body.ts';

/** What the answering routes need of the kit. */
export interface AnswerParts extends RunParts {
  leases: LeaseBook;
}

/**
 * `/chat`, `/generate` and `/generate-complete`: body, shape, policy, then the model server.
 *
 * @throws {KitFailure} for everything that ends before the status line.
 */
export async function answerRoute(
  parts: AnswerParts,
  request: Request,
  connection: Connection,
  context: RequestContext,
): Promise<Response> {
  const principalId = context.principal?.id ?? '';
  // Before the body: one that is still arriving takes memory, so it counts.
  const lease = parts.leases.open(principalId, request.signal);
  try {
    const body = await lease.during(checkedBody(parts, request, connection, context, lease.signal));
    const run = new Run(parts, await lease.during(runRequest(parts, body, context)), context, lease);
    const streams = context.route.operation !== 'generate-complete' && body.stream !== false;
    return streams ? await streamed(parts, run, request) : await complete(parts, run);
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
  signal: AbortSignal,
): Promise<ChatBody | GenerateBody> {
  const { maxBodyBytes, maxImageBodyBytes } = parts.settings.limits;
  const maxBytes = Math.max(maxBodyBytes, maxImageBodyBytes);
  const { value, bytes } = await readJsonBody(request, connection, maxBytes, signal);
  const body = context.route.operation === 'chat' ? parseChat(value) : parseGenerate(value);
  const images = countImages(body);
  if (images > maxImages)
    throw new KitFailure('bad_request', `The request carries more than ${maxImages} images.`);
  // The larger limit is for images alone.
  if (images === 0 && bytes > maxBodyBytes) throw tooLarge(maxBodyBytes);
  context.mark('body');
  return body;
}

async function runRequest(
  parts: AnswerParts,
  body: ChatBody | GenerateBody,
  context: RequestContext,
): Promise<RunRequest> {
  const model = await parts.catalog.resolve(body.model);
  context.model = model;
  context.mark('model');
  return {
    asked: body.model,
    model,
    path: 'messages' in body ? '/api/chat' : '/api/generate',
    body: upstreamBody(body, model),
    holdsBack: holdsBack(body),
  };
}

async function streamed(parts: AnswerParts, run: Run, request: Request): Promise<Response> {
  const { clock, timeouts } = parts.settings;
  const framing = framingFor(request.headers.get('accept'));
  const stream = new EventStream(run, framing, timeouts.heartbeatMs, () => clock.now());
  const failure = await stream.first;
  if (failure) throw failure;
  const { context } = run;
  context.mark('upstream');
  const headers = context.finalHeaders();
  headers.set('content-type', framing.contentType);
  headers.set('cache-control', 'no-store, no-transform');
  // nginx would hold tokens back without this.
  headers.set('x-accel-buffering', 'no');
  headers.set('x-ziggie-stream-id', stream.id);
  return new Response(stream.body, { status: 200, headers });
}

async function complete(parts: AnswerParts, run: Run): Promise<Response> {
  const { context, lease } = run;
  const answer = await completeAnswer(run, new Date(parts.settings.clock.wallNow()));
  lease.close();
  context.mark('upstream');
  context.log('ok', 200);
  const headers = context.finalHeaders();
  headers.set('content-type', 'application/json; charset=utf-8');
  headers.set('cache-control', 'no-store');
  return new Response(JSON.stringify(answer), { status: 200, headers });
}
