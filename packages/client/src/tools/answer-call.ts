import { ToolError } from '../errors/tool-error.ts';
import { type Checked, checkValue, tellIssues } from '../schema/check-value.ts';
import type { Clock } from '../types.ts';
import type { createLimiter } from './limiter.ts';
import type { Verdict } from './repeat-guard.ts';
import type { Tool, ToolInvocation, ToolResultEvent, ToolRunEvent, ToolRunOptions } from './types.ts';
import { TimeIsOver, within } from './within.ts';

/** Milliseconds. A tool that asks the web answers in seconds. */
const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_RESULT_CHARACTERS = 65_536;
const MAX_ERROR_CHARACTERS = 500;

/** What all calls of a run share. */
export interface CallEnvironment {
  tools: ReadonlyMap<string, Tool>;
  options: ToolRunOptions;
  clock: Clock;
  signal: AbortSignal;
  limit: ReturnType<typeof createLimiter>;
  /** One approval at a time. */
  approvals: ReturnType<typeof createLimiter>;
  emit: (event: ToolRunEvent) => void;
}

type Answered = Omit<ToolResultEvent, 'type' | 'id' | 'name' | 'durationMs'>;

/**
 * Answers one call in words for the model, whatever happens.
 *
 * @throws {ToolError} when the host app's own hook throws, and the signal's reason when the run is stopped.
 */
export async function answerCall(
  environment: CallEnvironment,
  call: ToolInvocation,
  verdict: Verdict,
): Promise<ToolResultEvent> {
  const { clock, emit } = environment;
  const startedAt = clock.now();
  const answered = await answer(environment, call, verdict);
  const event: ToolResultEvent = {
    type: 'tool-result',
    id: call.id,
    name: call.name,
    ...answered,
    content: cut(answered.content, environment.options.maxResultCharacters ?? DEFAULT_RESULT_CHARACTERS),
    durationMs: Math.round((clock.now() - startedAt) * 1000) / 1000,
  };
  emit(event);
  return event;
}

async function answer(
  environment: CallEnvironment,
  call: ToolInvocation,
  verdict: Verdict,
): Promise<Answered> {
  const { tools, signal, limit, emit } = environment;
  const tool = tools.get(call.name);
  if (tool === undefined) {
    return {
      outcome: 'unknown_tool',
      content: `There is no tool of this name. The tools are: ${[...tools.keys()].join(', ')}.`,
    };
  }
  if (verdict !== 'run') {
    return {
      outcome: 'repeated',
      content:
        'You made this call with the same arguments before, and it was not made again. Use the result you have, call with other arguments, or answer without it.',
    };
  }
  let checked: Checked<unknown>;
  try {
    checked = await check(environment, tool, call.arguments);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return { outcome: 'failed', content: told(error, call, environment.options), error };
  }
  if (checked.issues !== undefined) {
    return {
      outcome: 'invalid_arguments',
      content: `The arguments do not fit, and the tool was not called:\n${tellIssues(checked.issues)}\nCall it again with arguments that fit.`,
    };
  }
  const denied = await ask(environment, tool, { ...call, arguments: checked.value });
  if (denied !== undefined) return denied;
  return limit(() => {
    signal.throwIfAborted();
    emit({ type: 'tool-start', id: call.id, name: call.name, arguments: checked.value });
    return run(environment, tool, { ...call, arguments: checked.value });
  });
}

async function check(
  { clock, signal }: CallEnvironment,
  { schema }: Tool,
  args: unknown,
): Promise<Checked<unknown>> {
  return schema === undefined
    ? { value: args }
    : within(clock, Infinity, signal, () => checkValue(schema, args));
}

async function ask(
  { approvals, clock, signal, options, emit }: CallEnvironment,
  tool: Tool,
  call: ToolInvocation,
): Promise<Answered | undefined> {
  const failed = (cause: unknown): ToolError =>
    new ToolError('tool_failed', `Asking for approval of tool "${tool.name}": the hook threw.`, {
      toolName: tool.name,
      callId: call.id,
      cause,
    });
  try {
    if (!tool.needsApproval(call.arguments)) return undefined;
  } catch (cause) {
    throw failed(cause);
  }
  return approvals(async () => {
    signal.throwIfAborted();
    emit({ type: 'tool-approval', id: call.id, name: call.name, arguments: call.arguments });
    try {
      const said = await within(clock, Infinity, signal, (own) =>
        options.approve?.(call, { tool, signal: own }),
      );
      const { approved, reason } =
        typeof said === 'object' && said !== null ? said : { approved: said, reason: undefined };
      if (approved === true) return undefined;
      return {
        outcome: 'denied' as const,
        content: `The user did not allow this call${reason === undefined ? '.' : `: ${reason}`}`,
      };
    } catch (cause) {
      throw signal.aborted ? signal.reason : failed(cause);
    }
  });
}

async function run(
  { clock, signal, options }: CallEnvironment,
  tool: Tool,
  call: ToolInvocation,
): Promise<Answered> {
  const limitMs = tool.timeoutMs ?? options.toolTimeoutMs ?? DEFAULT_TIMEOUT_MS;
  try {
    const result = await within(clock, limitMs, signal, (own) =>
      tool.execute(call.arguments, { callId: call.id, signal: own }),
    );
    return { outcome: 'ok', content: inWords(result), result };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof TimeIsOver) {
      return { outcome: 'timed_out', content: `The tool gave no result within ${limitMs} ms.`, error };
    }
    return { outcome: 'failed', content: told(error, call, options), error };
  }
}

function told(error: unknown, call: ToolInvocation, { describeError }: ToolRunOptions): string {
  if (describeError === undefined) {
    const message = error instanceof Error ? error.message : String(error);
    return `The tool failed: ${message.slice(0, MAX_ERROR_CHARACTERS)}`;
  }
  try {
    return describeError(error, call);
  } catch (cause) {
    throw new ToolError('tool_failed', `Describing the failure of tool "${call.name}": the hook threw.`, {
      toolName: call.name,
      callId: call.id,
      cause,
    });
  }
}

/** JSON that cannot be made (a circle, a BigInt) is the tool's failure, told like one. */
function inWords(result: unknown): string {
  return typeof result === 'string' ? result : (JSON.stringify(result) ?? 'Done.');
}

function cut(content: string, most: number): string {
  if (content.length <= most) return content;
  return `${content.slice(0, most)}\n[cut off: ${content.length - most} more characters]`;
}
