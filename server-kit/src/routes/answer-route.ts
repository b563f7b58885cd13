import { type Answer, jsonAnswer } from '../answer/answer.ts';
import type { AnswerRun } from '../answer/answer-run.ts';
import { type Framing, framingFor } from '../answer/framing.ts';
import { streamHeaders } from '../answer/stream-headers.ts';
import { wholeAnswer } from '../answer/whole-answer.ts';
import type { Clock } from '../clock.ts';
import type { Connection } from '../connection.ts';
import type { RequestContext } from '../context.ts';
import { KitFailure } from '../failure.ts';
import type { Lease } from '../lease.ts';
import { maxImages } from '../request/chat-bounds.ts';
import {
  type ChatBody,
  countImages,
  type GenerateBody,
  parseChat,
  parseGenerate,
} from '../request/chat-shape.ts';
import { headerOf } from '../request/direct-request.ts';
import { tooLarge } from '../request/read-body.ts';
import { newId } from '../request/request-id.ts';
import { TickStream } from '../selftest/tick-stream.ts';
import type { EventFeed } from '../streams/event-feed.ts';
import { SharedAnswer } from '../streams/shared-answer.ts';
import { takeAll } from '../streams/whole-feed.ts';
import { ollamaForm } from '../surfaces/ollama/write-answer.ts';
import type { AnswerForm, Asked, RunFacts } from '../surfaces/surface.ts';
import { readers } from '../surfaces/surfaces.ts';
import { type AnswerParts, answerWith, type Read, type ReadBody } from './answer-with.ts';
import { contentFacts, promptTask } from './task.ts';

/**
 * Every address that answers a prompt: body, shape, policy, then the model server.
 *
 * @throws {KitFailure} for everything that ends before the status line.
 */
export function answerRoute(
  parts: AnswerParts,
  request: Request,
  connection: Connection,
  context: RequestContext,
): Promise<Answer> {
  const read = promptReader(parts, context, headerOf(request, 'accept'));
  const shared = new SharedAnswer(parts, request, context);
  const answer = answerWith(
    parts,
    request,
    connection,
    context,
    read,
    (run, form) => (form.streams ? streamed(parts, run, form, shared) : complete(parts, run, form, shared)),
    shared.isPossible ? (asked, lease) => joined(parts, context, shared, asked, lease) : undefined,
  );
  return shared.isPossible ? shared.guard(answer) : answer;
}

/** Reads a prompt in the form of its route, checks it, and lets the operator's content rules see it. */
export function promptReader(
  parts: AnswerParts,
  context: RequestContext,
  accept: string | null,
): ReadBody<AnswerForm> {
  const { path, operation } = context.route;
  const readAsked = readers[path] ?? ((value: unknown) => readNative(value, operation, accept));
  return (value, bytes) => {
    const asked = readAsked(value);
    checkImages(asked.body, bytes, parts);
    if (parts.content === undefined && !asked.mayNotThink)
      return { task: promptTask(asked.body, undefined), form: asked.form };
    return changedPrompt(parts, context, asked);
  };
}

/** A prompt after the operator's rules for content, for a model that can do what it asks. @throws {KitFailure} */
async function changedPrompt(
  parts: AnswerParts,
  context: RequestContext,
  { body: asked, form, mayNotThink }: Asked,
): Promise<Read<AnswerForm>> {
  const kind = 'messages' in asked ? 'chat' : 'generate';
  const facts = contentFacts(kind, asked.model, context);
  const body = parts.content
    ? await parts.content.input(asked, facts, (changed) => {
        const again = kind === 'chat' ? parseChat(changed) : parseGenerate(changed);
        checkImages(again, 0, parts);
        return again;
      })
    : asked;
  const known =
    mayNotThink && !(await parts.catalog.canThink(body.model)) ? { ...body, think: undefined } : body;
  return { task: promptTask(known, parts.content?.output(facts)), form };
}

/** A body of our own routes. A complete answer has the shape of Ollama's record. @throws {KitFailure} */
function readNative(value: unknown, operation: string, accept: string | null): Asked {
  const body = operation === 'chat' ? parseChat(value) : parseGenerate(value);
  const { whole } = ollamaForm(operation === 'chat' ? 'chat' : 'generate', false);
  const streams = operation !== 'generate-complete' && body.stream !== false;
  return { body, form: { streams, framing: () => framingFor(accept), whole, resumes: body.resume } };
}

/** @throws {KitFailure} */
function checkImages(body: ChatBody | GenerateBody, bytes: number, { settings }: AnswerParts): void {
  const { maxBodyBytes } = settings.limits;
  const images = countImages(body);
  if (images > maxImages)
    throw new KitFailure('bad_request', `The request carries more than ${maxImages} images.`);
  // The larger limit is for images alone.
  if (images === 0 && bytes > maxBodyBytes) throw tooLarge(maxBodyBytes);
}

async function streamed(
  parts: AnswerParts,
  run: AnswerRun,
  form: AnswerForm,
  shared: SharedAnswer,
): Promise<Answer> {
  const feed = await shared.open(run, form);
  run.context.mark('upstream');
  return streamAnswer(feed, form.framing(factsOf(parts, run, feed.id)), run.context);
}

/** Events as an answer. */
function streamAnswer(events: EventFeed, framing: Framing, context: RequestContext): Answer {
  return { status: 200, headers: streamHeaders(context, framing, events.id), body: { events, framing } };
}

/** `/admin/selftest/stream`: what an answer would be, from no model. */
export function selftestRoute(clock: Clock, request: Request, context: RequestContext): Answer {
  context.log('ok', 200);
  return streamAnswer(new TickStream(clock), framingFor(headerOf(request, 'accept')), context);
}

/** An answer that somebody has already, or is getting. */
async function joined(
  { settings, metering }: AnswerParts,
  context: RequestContext,
  shared: SharedAnswer,
  { task, form, model }: Read<AnswerForm> & { model: string },
  lease: Lease,
): Promise<Answer | undefined> {
  const feed = await shared.find(task, model, lease);
  if (feed === undefined) return undefined;
  const facts: RunFacts = {
    id: feed.id,
    requestId: context.id,
    model: task.asked,
    now: () => settings.clock.wallNow(),
    estimatedInputTokens: metering.estimate.inputTokens(model, task.size),
  };
  context.mark('stream');
  if (form.streams) return streamAnswer(feed, form.framing(facts), context);
  const answer = await wholeAnswer(takeAll(feed));
  context.log('ok', 200);
  return jsonAnswer(200, JSON.stringify(form.whole(answer, facts)), context.finalHeaders());
}

async function complete(
  parts: AnswerParts,
  run: AnswerRun,
  form: AnswerForm,
  shared: SharedAnswer,
): Promise<Answer> {
  const { context, lease } = run;
  const answer = await wholeAnswer(shared.isShared ? takeAll(await shared.open(run, form)) : run);
  if (!shared.isShared) lease.close();
  context.mark('upstream');
  context.log('ok', 200);
  const body = form.whole(answer, factsOf(parts, run, newId('run')));
  return jsonAnswer(200, JSON.stringify(body), context.finalHeaders());
}

function factsOf({ settings }: AnswerParts, { request, context }: AnswerRun, id: string): RunFacts {
  return {
    id,
    requestId: context.id,
    model: request.asked,
    now: () => settings.clock.wallNow(),
    estimatedInputTokens: request.estimatedInputTokens,
  };
}
