import type { TurnTools } from '../conversation/ports.ts';
import { part } from '../part.ts';
import type { Guards } from './turn-calls.ts';
import type { Tool, ToolRunOptions } from './types.ts';

const loadTurnCalls = () => part(() => import('./turn-calls.ts'));

/** Settings of {@link turnTools}; what they mean stands with the options of `runTools`. */
export interface TurnToolsOptions
  extends Pick<
    ToolRunOptions,
    'approve' | 'maxParallel' | 'toolTimeoutMs' | 'maxResultCharacters' | 'describeError'
  > {
  /** Most requests of one turn. Default: the conversation's own. */
  maxRounds?: number | undefined;
}

/**
 * Tools for a conversation: runs what the model calls, side by side, with the same limits, checks and approvals as
 * `runTools`.
 *
 * ```ts
 * const conversation = createConversation({ client, tools: turnTools([weather, deleteFile], { approve: askTheReader }) });
 * ```
 *
 * Whatever is wrong with a call is told to the model. The fourth identical call of a turn ends the turn as failed.
 *
 * @throws {TypeError} when two tools have one name.
 */
export function turnTools(tools: readonly Tool[], options: TurnToolsOptions = {}): TurnTools {
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  if (byName.size < tools.length) throw new TypeError('Reading the tools: two of them have one name.');
  const guards: Guards = new WeakMap();
  // Whoever makes tools will use them.
  loadTurnCalls().catch(() => {});
  return {
    definitions: tools.map(({ name, description, jsonSchema }) => ({
      name,
      description,
      parameters: jsonSchema,
    })),
    ...(options.maxRounds !== undefined && { maxRounds: options.maxRounds }),
    async run(calls, round) {
      const { runTurnCalls } = await loadTurnCalls();
      return runTurnCalls(byName, options, guards, calls, round);
    },
  };
}
