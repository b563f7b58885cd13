import type { ChatMessage, DoneEvent, ToolCall, Usage } from '@ziggie/llm-protocol';
import type { ClientHooks } from '../hooks.ts';
import { part } from '../part.ts';
import type { ZiggieClient } from '../types.ts';
import type { RunAction } from './actions.ts';
import { DeltaBuffer } from './delta-buffer.ts';
import { toTurnFailure } from './failure.ts';
import type { ContextReport, FittedContext, ToolOutcome } from './ports.ts';
import { reduceRun } from './reduce-run.ts';
import { type Run, whileWanted } from './run.ts';
import type { Store } from './store.ts';
import { finishReasonOf, timingsOf, toRunAction } from './stream-actions.ts';
import { addTimings } from './sums.ts';
import { branchFor, toRequest } from './to-request.ts';
import type { ConversationOptions, ConversationState, MessageNode, TurnEnd } from './types.ts';

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
  /** Of all its rounds. */
  timings?: MessageNode['timings'];
}

/** Asks the model, runs the tools it calls and asks again, until it has answered. Never rejects; `null` when unwanted. */
export async function runTurn(turn: Turn): Promise<TurnOutcome | null> {
  const { run } = turn;
  try {
    return await askInRounds(turn);
  } catch (error) {
    if (run.abort.signal.aborted) return { end: { kind: 'stopped' } };
    return { end: { kind: 'failed', failure: toTurnFailure(error, run.now()) } };
  }
}

async function askInRounds(turn: Turn): Promise<TurnOutcome | null> {
  const { run, options } = turn;
  const { tools } = options;
  // Awaited only when it has to be, here and below: the request goes out in the task of the call.
  const given = options.client;
  const client =
    typeof given === 'function'
      ? await whileWanted(
          run,
          part(async () => given()),
        )
      : given;
  const buffer = new DeltaBuffer();
  for (let round = 0; ; round++) {
    const fitting = fitBranch(turn, client);
    const fitted = fitting instanceof Promise ? await whileWanted(run, fitting) : fitting;
    if (!turn.isCurrent()) return null;
    change(turn, { type: 'context-cut', id: run.messageId, cut: fitted.cut });
    turn.onReport(fitted.report);
    const done = await readAnswer(turn, client, fitted, buffer);
    if (!turn.isCurrent()) return null;
    if (done === null) return failed('truncated', 'The answer broke off without an end.', true);
    const timings = addTimings(turn.store.live().run?.before?.timings, timingsOf(done.timings));
    const calls = openCalls(turn);
    if (tools === undefined || calls.length === 0) {
      return { end: { kind: 'complete', finishReason: finishReasonOf(done.finishReason) }, timings };
    }
    if (round + 1 >= (tools.maxRounds ?? MAX_ROUNDS)) {
      const message = `Running tools: the model asked for more after ${round + 1} requests. Raise maxRounds, or ask for less.`;
      return { ...failed('tool_loop', message, false), timings };
    }
    await runTools(turn, round, calls, fitted.messages);
    if (!turn.isCurrent()) return null;
    change(turn, { type: 'round-started', id: run.messageId, timings });
  }
}

function fitBranch(
  { run, model, parentId, options, store }: Turn,
  client: ZiggieClient,
): FittedContext | Promise<FittedContext> {
  const prefill = options.prefill ?? (client.target as string) !== 'openai';
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
async function readAnswer(
  turn: Turn,
  client: ZiggieClient,
  fitted: FittedContext,
  buffer: DeltaBuffer,
): Promise<DoneEvent | null> {
  const { run, model, options, store, onWritten } = turn;
  const id = run.messageId;
  const request = toRequest(options, options.tools, model, fitted.messages);
  let usage: Usage | undefined;
  const writeDown = (state: ConversationState): ConversationState => {
    const written = buffer.take();
    return written === null ? state : reduceRun(state, written);
  };
  const call = { signal: run.abort.signal, hooks: hooksOf(turn) };
  for await (const event of client.chat(request, call)) {
    // Leaving the loop closes the connection.
    if (!turn.isCurrent()) return null;
    const { type } = event;
    if (type === 'text-delta' || type === 'thinking-delta') {
      if (typeof event.text !== 'string' || event.text === '') continue;
      buffer.push(id, type === 'text-delta' ? 'text' : 'thinking', event.text, run.now());
      store.stepSoon(writeDown);
      onWritten();
      continue;
    }
    if (type === 'done') {
      if (usage !== undefined) turn.onReport(options.context?.learn(fitted, model, usage) ?? fitted.report);
      return event;
    }
    const action = toRunAction(event, id, run.now());
    if (action === null) continue;
    if (action.type === 'usage-counted') usage = action.usage;
    change(turn, action);
  }
  return null;
}

function change({ store }: Turn, action: RunAction): void {
  store.step((state) => reduceRun(state, action));
}

/** What the client does about a lost connection: shown, since it can take minutes. */
function hooksOf(turn: Turn): ClientHooks {
  const { run, isCurrent } = turn;
  const id = run.messageId;
  const retrying = (attempt: number, delayMs: number): void => {
    const at = run.now();
    if (isCurrent()) change(turn, { type: 'run-retrying', id, attempt, nextTryAt: at + delayMs, at });
  };
  return {
    retry: (_, { attempt, delayMs }) => retrying(attempt.number + 1, delayMs),
    attempt: () => {
      if (isCurrent()) change(turn, { type: 'run-retried', id });
    },
    reconnecting: (_, { tries, delayMs }) => retrying(tries, delayMs),
  };
}

/** The calls of the round that just ended. */
function openCalls({ run, store }: Turn): ToolCall[] {
  const state = store.live();
  const before = state.run?.before?.toolCalls.length ?? 0;
  const uses = state.nodes.get(run.messageId)?.toolCalls.slice(before) ?? [];
  return uses.map(({ id, name, arguments: given }) => ({ id, name, arguments: given }));
}

async function runTools(
  turn: Turn,
  round: number,
  calls: readonly ToolCall[],
  messages: readonly ChatMessage[],
): Promise<void> {
  const { run, options, isCurrent } = turn;
  const id = run.messageId;
  const startedAt = run.now();
  const running = options.tools?.run(calls, {
    round,
    turn: run,
    messages,
    signal: run.abort.signal,
    note(callId, state) {
      if (isCurrent()) change(turn, { type: 'tool-noted', id, callId, state });
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
    change(turn, {
      type: 'tool-answered',
      id,
      outcome,
      durationMs: outcome.durationMs ?? at - startedAt,
      at,
    });
  }
}

function failed(code: string, message: string, retryable: boolean): TurnOutcome {
  return { end: { kind: 'failed', failure: { code, message, retryable } } };
}
