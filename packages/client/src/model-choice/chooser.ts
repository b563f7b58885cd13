import type { Capability, ErrorCode, ModelInfo } from '@ziggie/llm-protocol';
import { remainingOptions } from '../derived/remaining-options.ts';
import { isZiggieError, withCallDetails, ZiggieError } from '../errors/ziggie-error.ts';
import { clockBehind } from '../internals.ts';
import type { Attempt, CallOptions, ChatEvent, ChatStream, ZiggieClient } from '../types.ts';
import { rankModels } from './rank-models.ts';
import type { Choice, ChosenResult } from './types.ts';

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

/** What is asked of whichever model serves it. */
export interface ChosenQuestion {
  task: string;
  /** The models that the task wants, best first. */
  asked: readonly string[];
  needs: readonly Capability[];
  ask(model: string, call: CallOptions): ChatStream;
  call: CallOptions;
}

/** Knows what the server has for a while, and asks one model after the other. */
export interface Chooser {
  /** Names of models of the server, best first. */
  ranked(wishes: readonly string[], needs: readonly Capability[], call: CallOptions): Promise<string[]>;
  answer(question: ChosenQuestion, signal: AbortSignal): AsyncGenerator<ChatEvent, ChosenResult, void>;
}

/** @param options How long a list of models is good, and whether only models that a task names are taken. */
export function newChooser(
  client: Pick<ZiggieClient, 'models'>,
  { onlyNamed, listMs }: { onlyNamed: boolean; listMs: number },
): Chooser {
  const clock = clockBehind(client);
  let list: { at: number; models: readonly ModelInfo[] } | undefined;

  const ranked: Chooser['ranked'] = async (wishes, needs, call) => {
    if (list === undefined || clock.now() - list.at >= listMs) {
      list = { models: await client.models.list(call), at: clock.now() };
    }
    return rankModels(list.models, wishes, ['completion', ...needs], onlyNamed);
  };

  async function* answer(
    { task, asked, needs, ask, call }: ChosenQuestion,
    signal: AbortSignal,
  ): AsyncGenerator<ChatEvent, ChosenResult, void> {
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

  return { ranked, answer };
}

function hasBegun({ partial }: ZiggieError): boolean {
  return (
    partial !== undefined && (partial.text !== '' || partial.thinking !== '' || partial.toolCalls.length > 0)
  );
}
