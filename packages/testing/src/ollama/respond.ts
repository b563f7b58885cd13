import { composeAnswer } from '../answers/compose.ts';
import { answerExchange } from '../wire/answer.ts';
import { endOf } from '../wire/end.ts';
import type { Surface } from '../wire/surface.ts';
import { thinkSetting } from './capabilities.ts';
import type { InstalledModel } from './catalog.ts';
import { readFormat } from './format.ts';
import type { GenerationRequest } from './generation.ts';
import { HttpFailure } from './http-failure.ts';
import { readOptions } from './options.ts';
import { fitPrompt, type PromptMessage, promptTokens } from './prompt.ts';
import type { RequestBody } from './request-body.ts';
import type { Incoming, Outgoing, World } from './world.ts';

/** What a surface is made from. */
export interface SurfaceContext {
  modelAsGiven: string;
  /** Alternatives for each token; `undefined`: no logprobs. */
  topLogprobs: number | undefined;
  /** Tokens of the prompt as the model reads it. */
  promptTokens: number;
}

/** What a route has read of a request: chat and generate are alike from here on. */
export interface Question {
  body: RequestBody;
  model: InstalledModel;
  modelAsGiven: string;
  keepAliveMs: number | undefined;
  /** Empty: the model is only loaded, or freed. */
  messages: readonly PromptMessage[];
  /** Tokens of an earlier `context`. */
  earlierTokens: number;
  surface: (context: SurfaceContext) => Surface;
  /** The refusal of a prompt that does not fit, where the server does not cut it. */
  tooLong?: ((tokens: number) => HttpFailure) | undefined;
}

/** Plays the script that fits the question, or a built-in answer. */
export async function respond(world: World, incoming: Incoming, question: Question): Promise<Outgoing> {
  const { body, model, modelAsGiven, messages } = question;
  const native = model.chatPath === 'native';
  const think = thinkSetting(body.any('think'), model, modelAsGiven);
  const topLogprobs = readLogprobs(body);
  const format = readFormat(body.any('format'));
  const shift = body.bool('shift');
  const options = readOptions(model, body.any('options'), shift);
  const stream = body.bool('stream') ?? true;
  const tokens = promptTokens(messages) + question.earlierTokens;
  if (question.tooLong && tokens > options.contextLength) throw question.tooLong(tokens);
  const kept = fitPrompt({
    tokens,
    contextLength: options.contextLength,
    native,
    mayCut: (shift ?? true) && (body.bool('truncate') ?? true),
  });
  const surface = question.surface({ modelAsGiven, topLogprobs, promptTokens: kept });
  const request: GenerationRequest = {
    ...options,
    model,
    keepAliveMs: question.keepAliveMs,
    signal: incoming.signal,
    think,
    promptTokens: kept,
    startsAgain: format !== undefined && !native,
    native,
    steps: [],
  };
  if (messages.length === 0) return answerLoad(world, incoming, surface, request);
  const fromUser = messages.filter((message) => message.role === 'user');
  const text = fromUser.at(-1)?.content ?? '';
  const scripted = world.scripts.take({ model: model.shortName, text, path: incoming.path });
  // One that only shapes says nothing by itself.
  const speaks = scripted?.some((step) => step.kind !== 'shape') ?? false;
  const own = () =>
    composeAnswer({
      model: model.shortName,
      question: text,
      firstQuestion: fromUser[0]?.content ?? '',
      questionNumber: fromUser.length,
      imageCount: fromUser.at(-1)?.imageCount ?? 0,
      thinks: think && model.capabilities.includes('thinking'),
      format,
    });
  request.steps = scripted && speaks ? scripted : [...(scripted ?? []), ...own()];
  return answerExchange({ world, incoming, surface, request, stream });
}

/** A request without a prompt: the model is loaded or freed, and nothing is written. One JSON answer, always. */
async function answerLoad(
  world: World,
  incoming: Incoming,
  surface: Surface,
  request: GenerationRequest,
): Promise<Outgoing> {
  const unload = request.keepAliveMs === 0;
  if (unload) world.scheduler.unload(request.model);
  else (await world.scheduler.acquire(request)).release();
  incoming.onRecord();
  incoming.onComplete();
  return surface.whole({ text: '', thinking: '', tools: [], end: endOf(unload ? 'unload' : 'load') });
}

/** @throws {HttpFailure} 400 outside 0 to 20, whether logprobs are on or not. */
function readLogprobs(body: RequestBody): number | undefined {
  const top = body.any('top_logprobs') ?? 0;
  if (typeof top !== 'number' || top < 0 || top > 20) {
    throw new HttpFailure(400, 'top_logprobs must be between 0 and 20');
  }
  return body.bool('logprobs') ? top : undefined;
}
