import { systemClock } from '../clock.ts';
import type { ToolOutcome as TurnOutcome, TurnTools } from '../conversation/ports.ts';
import { ToolError } from '../errors/tool-error.ts';
import { answerCall, type CallEnvironment } from './answer-call.ts';
import { createLimiter } from './limiter.ts';
import { callKey, RepeatGuard } from './repeat-guard.ts';
import type { Tool, ToolResultEvent, ToolRunOptions } from './types.ts';

const DEFAULT_PARALLEL = 4;

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
  const guards = new WeakMap<object, RepeatGuard>();
  return {
    definitions: tools.map(({ name, description, jsonSchema }) => ({
      name,
      description,
      parameters: jsonSchema,
    })),
    ...(options.maxRounds !== undefined && { maxRounds: options.maxRounds }),
    async run(calls, { turn, signal, note }) {
      const guard = guards.get(turn) ?? new RepeatGuard();
      guards.set(turn, guard);
      const environment: CallEnvironment = {
        tools: byName,
        options,
        clock: systemClock,
        signal,
        limit: createLimiter(options.maxParallel ?? DEFAULT_PARALLEL),
        approvals: createLimiter(1),
        emit(event) {
          if (event.type === 'tool-approval') note(event.id, 'waiting');
          if (event.type === 'tool-start') note(event.id, 'running');
        },
      };
      return Promise.all(
        calls.map(async (call) => {
          const key = callKey(call.name, call.arguments);
          const verdict = byName.get(call.name)?.repeatable === true ? 'run' : guard.see(key);
          if (verdict === 'stop') {
            throw new ToolError(
              'tool_loop',
              "Running tools: the same call came for the fourth time. Say in the tool's description what its result means, or mark it as repeatable.",
              { toolName: call.name, callId: call.id },
            );
          }
          const result = await answerCall(environment, call, verdict);
          if (result.outcome === 'failed' || result.outcome === 'timed_out') guard.failed(key);
          return outcomeOf(result);
        }),
      );
    },
  };
}

function outcomeOf({ id, outcome, content, durationMs }: ToolResultEvent): TurnOutcome {
  const state = outcome === 'ok' ? 'done' : outcome === 'denied' ? 'denied' : 'failed';
  return { callId: id, content, state, durationMs };
}
