import type { ChatMessage, ToolCall, Usage } from '@ziggie/llm-protocol';
import type { ClientHooks } from '../hooks.ts';
import type { ChatEvent } from '../types.ts';
import { toTurnFailure } from './failure.ts';
import type { ContextReport, FittedContext, ToolOutcome } from './ports.ts';
import type { Run } from './run.ts';
import type { Store } from './store.ts';
import { toRunAction } from './stream-actions.ts';
import { branchFor, toRequest } from './to-request.ts';
import type { ConversationOptions, MessageNode, TurnEnd } from './types.ts';

/** Requests of one turn when `tools` say nothing else. */
const MAX_ROUNDS = 8;

/** One turn on its way: what it is made of and whom it tells. */
export interface Turn {
  readonly run: Run;
  readonly model: string;
  /** The message that is answered. */
  readonly parentId: string;
  readonly options: ConversationOptions;
  readonly store: Store;
  /** Whether anybody still wants it. Once not, nothing of it may change the state. */
  readonly isCurrent: () => boolean;
  /** More of the answer is there. */
  readonly onWritten: () => void;
  readonly onReport: (report: ContextReport | null) => void;
}

/** How a turn ended. */
export interface TurnOutcome {
  end: TurnEnd;
  timings?: MessageNode['timings'];
}

/** Asks the model, runs the tools it calls and asks again, until it has answered. Never rejects; `null` when unwanted. */
export async function runTurn(turn: Turn): Promise<TurnOutcome | null> {
  const { run } = turn;
  try {
    return await askInRounds(turn);
  } catch (error) {
    if (run.abort.signal.aborted) return { end: { kind: 'stopped' } };
    return failed(toTurnFailure(error, run.now()));
  }
}

async function askInRounds(turn: Turn): Promise<TurnOutcome | null> {
  const { run, store, options } = turn;
  const { tools } = options;
  for (let round = 0; ; round++) {
    const fitting = fitBranch(turn);
    // Awaited only when it has to be: the request goes out in the task of the call.
    const fitted = fitting instanceof Promise ? await whileWanted(run, fitting) : fitting;
    if (!turn.isCurrent()) return null;
    store.dispatch({ type: 'context-cut', cut: fitted.cut });
    turn.onReport(fitted.report);
    const ended = await readAnswer(turn, fitted);
    if (!turn.isCurrent()) return null;
    if (ended === null) {
      return failed({
        code: 'truncated',
        message: 'The answer broke off without an end.',
        retryable: true,
      });
    }
    const calls = openCalls(turn);
    if (tools === undefined || calls.length === 0) return ended;
    if (round + 1 >= (tools.maxRounds ?? MAX_ROUNDS)) {
      const message = `Running tools: the model asked for more after ${round + 1} requests. Raise maxRounds, or ask for less.`;
      return { ...failed({ code: 'tool_loop', message, retryable: false }), timings: ended.timings };
    }
    await runTools(turn, round, calls, fitted.messages);
    if (!turn.isCurrent()) return null;
    store.dispatch({ type: 'round-timed', id: run.messageId, timings: ended.timings ?? {} });
    store.dispatch({ type: 'round-started', id: run.messageId });
  }
}

function fitBranch({ run, model, parentId, options, store }: Turn): FittedContext | Promise<FittedContext> {
  const prefill = options.prefill ?? (options.client.target as string) !== 'openai';
  const state = store.live();
  const branch = branchFor(state.nodes, parentId, run.messageId, prefill);
  if (options.context === undefined) {
    const system: ChatMessage[] = options.system ? [{ role: 'system', content: options.system }] : [];
    return { messages: [...system, ...branch.flatMap(({ messages }) => messages)], cut: null, report: null };
  }
  return options.context.fit({
    model,
    system: options.system,
    branch,
    tools: options.tools?.definitions ?? [],
    cut: state.cut,
    signal: run.abort.signal,
  });
}

/** Reads one stream to its end; `null` when it ended without one. */
async function readAnswer(turn: Turn, fitted: FittedContext): Promise<TurnOutcome | null> {
  const { run, model, options } = turn;
  const request = toRequest(options, options.tools, model, fitted.messages);
  let usage: Usage | undefined;
  const call = { signal: run.abort.signal, hooks: hooksOf(turn) };
  for await (const event of options.client.chat(request, call)) {
    // Leaving the loop closes the connection.
    if (!turn.isCurrent()) return null;
    const action = take(turn, event);
    if (action === null) continue;
    if (action.type === 'usage-counted') usage = action.usage;
    if (action.type !== 'answer-ended') continue;
    if (usage !== undefined) turn.onReport(options.context?.learn(fitted, model, usage) ?? fitted.report);
    return { end: action.end, timings: action.timings };
  }
  return null;
}

/** What the client does about a lost connection: shown, since it can take minutes. */
function hooksOf({ run, store, isCurrent }: Turn): ClientHooks {
  const id = run.messageId;
  const retrying = (attempt: number, delayMs: number): void => {
    const at = run.now();
    if (isCurrent()) store.dispatch({ type: 'run-retrying', id, attempt, nextTryAt: at + delayMs, at });
  };
  return {
    retry: (_, { attempt, delayMs }) => retrying(attempt.number + 1, delayMs),
    attempt: () => {
      if (isCurrent()) store.dispatch({ type: 'run-retried', id });
    },
    reconnecting: (_, { tries, delayMs }) => retrying(tries, delayMs),
  };
}

function take({ run, store, onWritten }: Turn, event: ChatEvent): ReturnType<typeof toRunAction> {
  const id = run.messageId;
  if (event.type === 'text-delta' || event.type === 'thinking-delta') {
    if (typeof event.text !== 'string' || event.text === '') return null;
    store.write(id, event.type === 'text-delta' ? 'text' : 'thinking', event.text, run.now());
    onWritten();
    return null;
  }
  const action = toRunAction(event, id, run.now());
  if (action !== null && action.type !== 'answer-ended') store.dispatch(action);
  return action;
}

/** The calls of the round that just ended. */
function openCalls({ run, store }: Turn): ToolCall[] {
  const state = store.live();
  const before = state.run?.before?.toolCalls.length ?? 0;
  const uses = state.nodes.get(run.messageId)?.toolCalls.slice(before) ?? [];
  return uses.map(({ id, name, arguments: given }) => ({ id, name, arguments: given }));
}

async function runTools(
  { run, store, options, isCurrent }: Turn,
  round: number,
  calls: readonly ToolCall[],
  messages: readonly ChatMessage[],
): Promise<void> {
  const id = run.messageId;
  const startedAt = run.now();
  const running = options.tools?.run(calls, {
    round,
    turn: run,
    messages,
    signal: run.abort.signal,
    note(callId, state) {
      if (isCurrent()) store.dispatch({ type: 'tool-noted', id, callId, state });
    },
  });
  const outcomes = [...((await whileWanted(run, Promise.resolve(running))) ?? [])];
  if (!isCurrent()) return;
  const at = run.now();
  for (const call of calls) {
    const index = outcomes.findIndex(({ callId }) => callId === call.id);
    const outcome: ToolOutcome = outcomes.splice(index, index < 0 ? 0 : 1)[0] ?? {
      callId: call.id,
      content: 'The tool gave no result.',
      state: 'failed',
    };
    store.dispatch({
      type: 'tool-answered',
      id,
      outcome,
      durationMs: outcome.durationMs ?? at - startedAt,
      at,
    });
  }
}

/** The value, or a rejection as soon as the run is stopped, however long the other side takes to notice. */
async function whileWanted<T>({ abort: { signal } }: Run, promise: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  let leave: (() => void) | undefined;
  const stopped = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([promise, stopped]);
  } finally {
    if (leave !== undefined) signal.removeEventListener('abort', leave);
  }
}

function failed(failure: Extract<TurnEnd, { kind: 'failed' }>['failure']): TurnOutcome {
  return { end: { kind: 'failed', failure } };
}
