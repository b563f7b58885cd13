import type { Capability, ChatRequest, ErrorCode, GenerateRequest, ModelInfo } from '@ziggie/llm-protocol';
import { DerivedStream } from '../derived/derived-stream.ts';
import { remainingOptions } from '../derived/remaining-options.ts';
import { isZiggieError, withCallDetails, ZiggieError } from '../errors/ziggie-error.ts';
import { clockBehind } from '../internals.ts';
import type { Attempt, CallOptions, ChatEvent, ChatStream, ZiggieClient } from '../types.ts';
import { rankModels } from './rank-models.ts';
import { recommendedModels } from './recommended-models.ts';
import type { Choice, ChosenResult, ChosenStream, ModelChoice, ModelChoiceOptions } from './types.ts';

const DEFAULT_LIST_MS = 30_000;

/** Failures that another model may not have: it is away, has no place, does not fit or cannot do it. */
const another: ReadonlySet<ErrorCode> = new Set([
  'model_not_found',
  'capability_unsupported',
  'server_busy',
  'queue_full',
  'queue_timeout',
  'out_of_memory',
  'runner_crashed',
  'load_timeout',
]);

/**
 * Chooses models by task, among those that the server has.
 *
 * ```ts
 * const choice = createModelChoice(client);
 * const { text, choice: { served } } = await choice.chat('code', { messages }).final();
 * ```
 *
 * A model that is away or overloaded is passed over for the next one as long as it wrote nothing; after its first token a
 * failure is thrown. What a request needs (tools, vision, thinking) is read from it.
 *
 * @throws {TypeError} for a task that does not exist. Streams reject with `model_not_found` when the server has no model
 *   for it, and else with the failure of the last one that was tried.
 */
export function createModelChoice<Task extends string = keyof typeof recommendedModels>(
  client: Pick<ZiggieClient, 'chat' | 'generate' | 'models'>,
  options: ModelChoiceOptions<Task> = {},
): ModelChoice<Task> {
  const tasks = (options.tasks ?? recommendedModels) as Readonly<Record<string, readonly string[]>>;
  const { onlyNamed = false, listMs = DEFAULT_LIST_MS } = options;
  const clock = clockBehind(client);
  let list: { at: number; models: readonly ModelInfo[] } | undefined;

  const wishesOf = (task: string): readonly string[] => {
    const wishes = Object.hasOwn(tasks, task) ? tasks[task] : undefined;
    if (wishes === undefined) {
      throw new TypeError(
        `Choosing a model: there is no task "${task}". There are: ${Object.keys(tasks).join(', ')}.`,
      );
    }
    return wishes;
  };
  const ranked = async (
    wishes: readonly string[],
    needs: readonly Capability[],
    call: CallOptions,
  ): Promise<string[]> => {
    if (list === undefined || clock.now() - list.at >= listMs) {
      list = { models: await client.models.list(call), at: clock.now() };
    }
    return rankModels(list.models, wishes, ['completion', ...needs], onlyNamed);
  };

  function answer(
    task: string,
    needs: readonly Capability[],
    ask: (model: string, call: CallOptions) => ChatStream,
    call: CallOptions,
  ): ChosenStream {
    const asked = wishesOf(task);
    async function* events(signal: AbortSignal): AsyncGenerator<ChatEvent, ChosenResult, void> {
      const startedAt = clock.now();
      const left = (): CallOptions => remainingOptions(call, signal, clock.now() - startedAt);
      const attempts: Attempt[] = [];
      const skipped: { model: string; code: ErrorCode }[] = [];
      const names = await ranked(asked, needs, left());
      for (const [at, model] of names.entries()) {
        try {
          const stream = ask(model, left());
          yield* stream;
          const result = await stream.final();
          const choice: Choice = { asked, served: model, skipped };
          return { ...result, attempts: [...attempts, ...result.attempts], choice };
        } catch (error) {
          if (!isZiggieError(error)) throw error;
          attempts.push(...error.attempts);
          if (error.code === 'model_not_found') list = undefined;
          if (at === names.length - 1 || !another.has(error.code) || hasBegun(error)) {
            throw withCallDetails(error, { attempts });
          }
          skipped.push({ model, code: error.code });
        }
      }
      const wanted = needs.length === 0 ? '' : ` that can do ${needs.join(', ')}`;
      throw new ZiggieError(
        'model_not_found',
        `Choosing a model for "${task}": the server has none${wanted}. Pull one: ollama pull ${asked[0] ?? 'llama3.2'}`,
      );
    }
    const stream = new DerivedStream(call.signal, events);
    return Object.assign(stream, {
      final: () => stream.result(),
      text: async () => (await stream.result()).text,
    });
  }

  return {
    async candidates(task, needs = [], call = {}) {
      return ranked(wishesOf(task), needs, call);
    },
    chat: (task, request, call = {}) =>
      answer(task, needsOf(request), (model, own) => client.chat({ ...request, model }, own), call),
    generate: (task, request, call = {}) =>
      answer(task, needsOf(request), (model, own) => client.generate({ ...request, model }, own), call),
  };
}

function hasBegun({ partial }: ZiggieError): boolean {
  return (
    partial !== undefined && (partial.text !== '' || partial.thinking !== '' || partial.toolCalls.length > 0)
  );
}

function needsOf(request: Omit<ChatRequest, 'model'> | Omit<GenerateRequest, 'model'>): Capability[] {
  const needs: Capability[] = [];
  const images =
    'messages' in request
      ? request.messages.some((message) => (message.images?.length ?? 0) > 0)
      : (request.images?.length ?? 0) > 0;
  if (images) needs.push('vision');
  if ('tools' in request && (request.tools?.length ?? 0) > 0) needs.push('tools');
  if (request.think !== undefined && request.think !== false) needs.push('thinking');
  if ('suffix' in request && request.suffix !== undefined) needs.push('insert');
  return needs;
}
