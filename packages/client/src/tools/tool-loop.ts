import type { ChatMessage, Timings, ToolCall, Usage } from '@ziggie/llm-protocol';
import { remainingOptions } from '../derived/remaining-options.ts';
import { sumTimings, sumUsage } from '../derived/sum-usage.ts';
import { TimeoutError } from '../errors/timeout-error.ts';
import { ToolError } from '../errors/tool-error.ts';
import { isZiggieError, withCallDetails } from '../errors/ziggie-error.ts';
import { clockBehind } from '../internals.ts';
import type { Attempt, ChatResult, Clock, ZiggieClient } from '../types.ts';
import { answerCall, type CallEnvironment } from './answer-call.ts';
import { EventQueue } from './event-queue.ts';
import { createLimiter } from './limiter.ts';
import { callKey, RepeatGuard } from './repeat-guard.ts';
import { definitionOf } from './tool-list.ts';
import type {
  Tool,
  ToolResultEvent,
  ToolRunEvent,
  ToolRunOptions,
  ToolRunRequest,
  ToolRunResult,
} from './types.ts';

const DEFAULT_ROUNDS = 10;
const DEFAULT_PARALLEL = 4;

/** Asks, runs what is called, and asks again, until an answer calls nothing. */
export class ToolLoop {
  readonly #client: Pick<ZiggieClient, 'chat'>;
  readonly #request: ToolRunRequest;
  readonly #tools: ReadonlyMap<string, Tool>;
  readonly #options: ToolRunOptions;
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #guard = new RepeatGuard();
  readonly #messages: ChatMessage[];
  readonly #calls: ToolCall[] = [];
  readonly #results: ToolResultEvent[] = [];
  readonly #attempts: Attempt[] = [];
  readonly #ids = new Set<string>();
  #usage: Usage | undefined;
  #timings: Timings = {};

  constructor(
    client: Pick<ZiggieClient, 'chat'>,
    request: ToolRunRequest,
    tools: ReadonlyMap<string, Tool>,
    options: ToolRunOptions,
    signal: AbortSignal,
  ) {
    this.#client = client;
    this.#request = request;
    this.#tools = tools;
    this.#options = options;
    this.#signal = signal;
    this.#clock = clockBehind(client);
    this.#startedAt = this.#clock.now();
    this.#messages = [...request.messages];
  }

  async *events(): AsyncGenerator<ToolRunEvent, ToolRunResult, void> {
    for (let round = 1; ; round++) {
      const calls: ToolCall[] = [];
      const answer = yield* this.#ask(calls);
      this.#messages.push({
        role: 'assistant',
        content: answer.text,
        ...(answer.thinking === '' ? {} : { thinking: answer.thinking }),
        ...(calls.length === 0 ? {} : { toolCalls: calls }),
      });
      if (calls.length === 0) {
        const { finishReason } = answer;
        const timings = { ...this.#timings, totalMs: this.#elapsedMs() };
        yield { type: 'done', finishReason, timings };
        return this.#result(answer, round, timings);
      }
      this.#calls.push(...calls);
      this.#refuseLoop(calls, round, answer);
      yield* this.#answer(calls, answer);
    }
  }

  /** One answer of the model. Its calls are collected, its end is kept back. */
  async *#ask(calls: ToolCall[]): AsyncGenerator<ToolRunEvent, ChatResult, void> {
    const { tools: _, ...request } = this.#request;
    const stream = this.#client.chat(
      { ...request, messages: [...this.#messages], tools: [...this.#tools.values()].map(definitionOf) },
      remainingOptions(this.#options, this.#signal, this.#elapsedMs()),
    );
    for await (const event of stream) {
      switch (event.type) {
        case 'tool-call': {
          const call = { ...event, id: this.#ownId(event.id) };
          calls.push({ id: call.id, name: call.name, arguments: call.arguments });
          yield call;
          break;
        }
        case 'restart':
          // What came before is void, and so are its calls.
          calls.length = 0;
          yield event;
          break;
        case 'usage': {
          const { type, ...usage } = event;
          yield { type, ...sumUsage(this.#usage, usage) };
          break;
        }
        case 'done':
          break;
        default:
          yield event;
      }
    }
    const answer = await stream.final();
    if (answer.usage !== undefined) this.#usage = sumUsage(this.#usage, answer.usage);
    this.#timings = sumTimings(this.#timings, answer.timings);
    this.#attempts.push(...answer.attempts);
    return answer;
  }

  /** @throws {ToolError} before anything of the round is run. */
  #refuseLoop(calls: readonly ToolCall[], round: number, answer: ChatResult): void {
    const maxRounds = this.#options.maxRounds ?? DEFAULT_ROUNDS;
    const last = calls.at(-1) as ToolCall;
    if (round <= maxRounds) return;
    throw this.#loop(last, `the model called tools in more than ${maxRounds} rounds`, answer);
  }

  /** Runs the calls of one answer and yields what happens as it happens; the results go on in the order of the calls. */
  async *#answer(calls: readonly ToolCall[], answer: ChatResult): AsyncGenerator<ToolRunEvent, void, void> {
    const verdicts = calls.map((call) => {
      const key = callKey(call.name, call.arguments);
      return {
        key,
        verdict: this.#tools.get(call.name)?.repeatable ? ('run' as const) : this.#guard.see(key),
      };
    });
    const tooMany = calls[verdicts.findIndex(({ verdict }) => verdict === 'stop')];
    if (tooMany) throw this.#loop(tooMany, 'the same call came for the fourth time', answer);

    const queue = new EventQueue<ToolRunEvent>();
    const deadline = this.#deadline();
    const environment: CallEnvironment = {
      tools: this.#tools,
      options: this.#options,
      clock: this.#clock,
      signal: deadline.signal,
      limit: createLimiter(this.#options.maxParallel ?? DEFAULT_PARALLEL),
      approvals: createLimiter(1),
      emit: (event) => queue.push(event),
    };
    const work = Promise.all(
      calls.map(async (call, at) => {
        const { key, verdict } = verdicts[at] as (typeof verdicts)[number];
        const result = await answerCall(environment, call, verdict);
        if (result.outcome === 'failed' || result.outcome === 'timed_out') this.#guard.failed(key);
        return result;
      }),
    );
    queue.endWith(work);
    try {
      yield* queue.events();
      const results = await work;
      this.#results.push(...results);
      for (const { id, name, content } of results) {
        this.#messages.push({ role: 'tool', content, toolName: name, toolCallId: id });
      }
    } catch (error) {
      // One call ended the run: the others have nobody left to answer to.
      deadline.stop(error);
      throw isZiggieError(error)
        ? withCallDetails(error, { attempts: this.#attempts, partial: partialOf(answer) })
        : error;
    } finally {
      deadline.stop(new Error('The run was left.'));
    }
  }

  /** The run's signal, and what is left of `totalMs`. */
  #deadline(): { signal: AbortSignal; stop: (reason: unknown) => void } {
    const control = new AbortController();
    const totalMs = this.#options.timeouts?.totalMs ?? Infinity;
    const onAbort = (): void => control.abort(this.#signal.reason);
    if (this.#signal.aborted) onAbort();
    this.#signal.addEventListener('abort', onAbort, { once: true });
    const cancel =
      totalMs === Infinity
        ? () => {}
        : this.#clock.setTimer(
            () => control.abort(new TimeoutError('total', totalMs)),
            Math.max(0, totalMs - this.#elapsedMs()),
          );
    return {
      signal: control.signal,
      stop: (reason) => {
        cancel();
        this.#signal.removeEventListener('abort', onAbort);
        control.abort(reason);
      },
    };
  }

  /** Servers give the same id to calls of different answers, or none. */
  #ownId(id: string): string {
    let own = id === '' ? 'call' : id;
    for (let more = 2; this.#ids.has(own); more++) own = `${id === '' ? 'call' : id}_${more}`;
    this.#ids.add(own);
    return own;
  }

  #elapsedMs(): number {
    return Math.round((this.#clock.now() - this.#startedAt) * 1000) / 1000;
  }

  #loop({ id, name }: ToolCall, found: string, answer: ChatResult): ToolError {
    const message = `Running tools: ${found}. Say in the tool's description what its result means, mark it as repeatable, or raise maxRounds.`;
    return withCallDetails(new ToolError('tool_loop', message, { toolName: name, callId: id }), {
      attempts: this.#attempts,
      partial: partialOf(answer),
    });
  }

  #result(answer: ChatResult, rounds: number, timings: Timings): ToolRunResult {
    return {
      ...answer,
      toolCalls: this.#calls,
      ...(this.#usage === undefined ? {} : { usage: this.#usage }),
      timings,
      attempts: this.#attempts,
      messages: this.#messages,
      toolResults: this.#results,
      rounds,
    };
  }
}

function partialOf({ text, thinking, toolCalls }: ChatResult) {
  return { text, thinking, toolCalls };
}
