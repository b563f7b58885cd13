import type { Capability, ChatRequest, GenerateRequest } from '@ziggie/llm-protocol';
import { DerivedStream } from '../derived/derived-stream.ts';
import { part } from '../part.ts';
import type { CallOptions, ChatStream, ZiggieClient } from '../types.ts';
import type { Chooser } from './chooser.ts';
import { recommendedModels } from './recommended-models.ts';
import type { ChosenStream, ModelChoice, ModelChoiceOptions } from './types.ts';

const DEFAULT_LIST_MS = 30_000;

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
  let known: Chooser | undefined;

  const wishesOf = (task: string): readonly string[] => {
    const wishes = Object.hasOwn(tasks, task) ? tasks[task] : undefined;
    if (wishes === undefined) {
      throw new TypeError(
        `Choosing a model: there is no task "${task}". There are: ${Object.keys(tasks).join(', ')}.`,
      );
    }
    return wishes;
  };
  /** Comes with the first question, and starts with the list that the ones before have got. */
  const chooser = async (): Promise<Chooser> => {
    const { newChooser } = await part(() => import('./chooser.ts'));
    known ??= newChooser(client, { onlyNamed, listMs });
    return known;
  };

  function answer(
    task: string,
    needs: readonly Capability[],
    ask: (model: string, call: CallOptions) => ChatStream,
    call: CallOptions,
  ): ChosenStream {
    const asked = wishesOf(task);
    const stream = new DerivedStream(call.signal, async (signal) =>
      (await chooser()).answer({ task, asked, needs, ask, call }, signal),
    );
    return Object.assign(stream, {
      final: () => stream.result(),
      text: async () => (await stream.result()).text,
    });
  }

  return {
    async candidates(task, needs = [], call = {}) {
      const wishes = wishesOf(task);
      return (await chooser()).ranked(wishes, needs, call);
    },
    chat: (task, request, call = {}) =>
      answer(task, needsOf(request), (model, own) => client.chat({ ...request, model }, own), call),
    generate: (task, request, call = {}) =>
      answer(task, needsOf(request), (model, own) => client.generate({ ...request, model }, own), call),
  };
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
