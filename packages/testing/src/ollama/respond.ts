import { composeAnswer } from '../answers/compose.ts';
import { thinkSetting } from './capabilities.ts';
import type { InstalledModel } from './catalog.ts';
import { answerLoad, answerStreaming, answerWhole, type Completion } from './complete.ts';
import { readFormat } from './format.ts';
import { readOptions } from './options.ts';
import { type PromptMessage, promptTokens } from './prompt.ts';
import type { RecordWriter } from './records.ts';
import type { RequestBody } from './request-body.ts';
import type { Incoming, Outgoing, World } from './world.ts';

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
  write: RecordWriter;
  /** The `context` for the last record, from the number of tokens of prompt and answer. */
  contextOf?: ((tokens: number) => readonly number[]) | undefined;
}

/** Plays the script that fits the question, or a built-in answer. */
export async function respond(world: World, incoming: Incoming, question: Question): Promise<Outgoing> {
  const { body, model, modelAsGiven, messages, contextOf } = question;
  const think = thinkSetting(body.any('think'), model, modelAsGiven);
  const format = readFormat(body.any('format'));
  const options = readOptions(model, body.any('options'), body.bool('shift'));
  const isStreamed = body.bool('stream') ?? true;
  const wholePrompt = promptTokens(messages) + question.earlierTokens;
  // A prompt that does not fit is cut to half the window, and nothing says so.
  const kept = wholePrompt > options.contextLength ? Math.floor(options.contextLength / 2) : wholePrompt;
  const completion: Completion = {
    world,
    incoming,
    modelAsGiven,
    write: question.write,
    contextOf: contextOf && ((tokens) => contextOf(kept + tokens)),
    request: {
      ...options,
      model,
      keepAliveMs: question.keepAliveMs,
      signal: incoming.signal,
      think,
      promptTokens: kept,
      steps: [],
    },
  };
  if (messages.length === 0) return answerLoad(completion);
  const fromUser = messages.filter((message) => message.role === 'user');
  const text = fromUser.at(-1)?.content ?? '';
  completion.request.steps =
    world.scripts.take({ model: model.shortName, text }) ??
    composeAnswer({
      model: model.shortName,
      question: text,
      firstQuestion: fromUser[0]?.content ?? '',
      questionNumber: fromUser.length,
      imageCount: fromUser.at(-1)?.imageCount ?? 0,
      thinks: think && model.capabilities.includes('thinking'),
      format,
    });
  return isStreamed ? answerStreaming(completion) : answerWhole(completion);
}
