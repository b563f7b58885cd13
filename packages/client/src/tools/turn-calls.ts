import type { ToolCall } from '@ziggie/llm-protocol';
import { systemClock } from '../clock.ts';
import type { ToolRound, ToolOutcome as TurnOutcome } from '../conversation/ports.ts';
import { ToolError } from '../errors/tool-error.ts';
import { answerCall, type CallEnvironment } from './answer-call.ts';
import { createLimiter } from './limiter.ts';
import { callKey, RepeatGuard } from './repeat-guard.ts';
import type { TurnToolsOptions } from './turn-tools.ts';
import type { Tool, ToolResultEvent } from './types.ts';

const DEFAULT_PARALLEL = 4;

/** What was called in a turn so far, by the turn. */
export type Guards = WeakMap<object, RepeatGuard>;

/** Runs the calls of one round side by side. @throws {ToolError} for the fourth identical call of a turn. */
export async function runTurnCalls(
  tools: ReadonlyMap<string, Tool>,
  options: TurnToolsOptions,
  guards: Guards,
  calls: readonly ToolCall[],
  { turn, signal, note }: ToolRound,
): Promise<TurnOutcome[]> {
  const guard = guards.get(turn) ?? new RepeatGuard();
  guards.set(turn, guard);
  const environment: CallEnvironment = {
    tools,
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
      const verdict = tools.get(call.name)?.repeatable === true ? 'run' : guard.see(key);
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
}

function outcomeOf({ id, outcome, content, durationMs }: ToolResultEvent): TurnOutcome {
  const state = outcome === 'ok' ? 'done' : outcome === 'denied' ? 'denied' : 'failed';
  return { callId: id, content, state, durationMs };
}
