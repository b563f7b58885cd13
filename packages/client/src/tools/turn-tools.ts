import { systemClock } from '../clock.ts';
import type { ToolOutcome as TurnToolOutcome, TurnTools } from '../conversation/ports.ts';
import { ToolError } from '../errors/tool-error.ts';
import type { Clock } from '../types.ts';
import { answerCall, type CallEnvironment } from './answer-call.ts';
import { createLimiter } from './limiter.ts';
import { callKey, RepeatGuard } from './repeat-guard.ts';
import { byName, definitionOf } from './tool-list.ts';
import type { Tool, ToolResultEvent, ToolRunOptions } from './types.ts';

const DEFAULT_ROUNDS = 10;
const DEFAULT_PARALLEL = 4;

/** What of a run with tools can be set where a conversation makes the requests. */
export interface TurnToolsOptions
  extends Pick<
    ToolRunOptions,
    'maxRounds' | 'maxParallel' | 'toolTimeoutMs' | 'maxResultCharacters' | 'approve' | 'describeError'
  > {
  /** Time for the limits of the tools. Default: the platform's. */
  clock?: Clock | undefined;
}

/**
 * Tools for a conversation: give it to `createConversation` as `tools`. They run as `runTools` runs them, side by side,
 * with time-outs, approval and a guard against repeats; how each call is doing is part of its message.
 *
 * @throws {TypeError} for what `defineTool` did not make, and for a name that comes twice.
 */
export function turnTools(tools: readonly Tool[], options: TurnToolsOptions = {}): TurnTools {
  const known = byName(tools);
  const { clock = systemClock, maxRounds = DEFAULT_ROUNDS, maxParallel = DEFAULT_PARALLEL } = options;
  /** Repeats count within a turn. */
  const guards = new WeakMap<object, RepeatGuard>();
  return {
    definitions: [...known.values()].map(definitionOf),
    maxRounds: maxRounds + 1,
    async run(calls, round) {
      const guard = guards.get(round.turn) ?? new RepeatGuard();
      guards.set(round.turn, guard);
      const environment: CallEnvironment = {
        tools: known,
        options,
        clock,
        signal: round.signal,
        limit: createLimiter(maxParallel),
        approvals: createLimiter(1),
        emit(event) {
          if (event.type === 'tool-start') round.note(event.id, 'running');
          if (event.type === 'tool-approval') round.note(event.id, 'waiting');
        },
      };
      const judged = calls.map((call) => {
        const key = callKey(call.name, call.arguments);
        return { call, key, verdict: known.get(call.name)?.repeatable ? ('run' as const) : guard.see(key) };
      });
      const tooMany = judged.find(({ verdict }) => verdict === 'stop')?.call;
      if (tooMany !== undefined) {
        const message =
          'Running tools: the same call came for the fourth time. Say in the description what its result means, or mark it as repeatable.';
        throw new ToolError('tool_loop', message, { toolName: tooMany.name, callId: tooMany.id });
      }
      return Promise.all(
        judged.map(async ({ call, key, verdict }) => {
          const result = await answerCall(environment, call, verdict);
          if (result.outcome === 'failed' || result.outcome === 'timed_out') guard.failed(key);
          return outcomeOf(result);
        }),
      );
    },
  };
}

function outcomeOf({ id, content, outcome, durationMs }: ToolResultEvent): TurnToolOutcome {
  const state = outcome === 'ok' ? 'done' : outcome === 'denied' ? 'denied' : 'failed';
  return { callId: id, content, state, durationMs };
}
