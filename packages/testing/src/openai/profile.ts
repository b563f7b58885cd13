import type { InstalledModel } from '../ollama/catalog.ts';
import type { HttpFailure } from '../ollama/http-failure.ts';
import type { EndPiece, Figures } from '../wire/pieces.ts';

/** What one server does its own way within OpenAI's dialect. */
export interface Profile {
  readonly name: 'ollama' | 'vllm' | 'llama.cpp' | 'openai';
  /** Headers of a streamed answer. */
  readonly streamHeaders: Readonly<Record<string, string>>;
  /** `chatcmpl-…` from a source of chance. */
  chatId(random: () => number): string;
  toolCallId(random: () => number): string;
  /** Members of every chat chunk and answer beside `id`, `object`, `created`, `model` and `choices`. */
  readonly extras: Readonly<Record<string, unknown>>;
  /** The order of the members, and of those of a choice, where it is not ours. */
  readonly order?: readonly string[] | undefined;
  readonly choiceOrder?: readonly string[] | undefined;
  /** Members of every streamed choice beside `index`, `delta` and `finish_reason`. */
  readonly choiceExtras: Readonly<Record<string, unknown>>;
  /** Members of a choice in the chunk that names the reason. */
  readonly lastChoiceExtras: Readonly<Record<string, unknown>>;
  /** The delta before any content; `undefined` where the role rides on the first content. */
  readonly firstDelta: Readonly<Record<string, unknown>> | undefined;
  /** The delta beside the reason. */
  readonly lastDelta: Readonly<Record<string, unknown>>;
  /** Names of the member that carries thinking; several carry the same. */
  readonly thinkingFields: readonly string[];
  /** Whether the arguments of a tool come in pieces. */
  readonly piecewiseTools: boolean;
  /** Whether content `""` rides along with thinking and tool calls. */
  readonly emptyContent: boolean;
  /** What `content` is when only tools were called. */
  readonly noContent: '' | null;
  /** The order in which a server writes `usage`. */
  usage(figures: Figures | undefined): Readonly<Record<string, unknown>>;
  /** Members beside `usage` on the last chunk, and on a whole answer. */
  endExtras(end: EndPiece): Readonly<Record<string, unknown>>;
  /** Whether every chunk but the last carries `usage: null` when usage was asked for. */
  readonly nullUsage: boolean;
  /** The body of a failure. */
  errorBody(failure: HttpFailure): Readonly<Record<string, unknown>>;
  /** Frames of a failure in the stream; `emptyChunk` is one without content and model. */
  lateFailure(failure: HttpFailure, emptyChunk: () => string): readonly string[];
  /** One entry of `/v1/models`. */
  model(model: InstalledModel, createdS: number): Readonly<Record<string, unknown>>;
}

export const openAiUsage = (figures: Figures | undefined) => {
  const prompt = figures?.promptTokens ?? 0;
  const completion = figures?.tokens ?? 0;
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
};
