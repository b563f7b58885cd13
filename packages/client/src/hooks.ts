import type { Timings, Usage } from '@ziggie/llm-protocol';
import type { ZiggieError } from './errors/ziggie-error.ts';
import type { AnswerStats, Attempt, ChatEvent } from './types.ts';

/** What a call is, the same object in every hook of that call: a key for what an observer keeps beside it. */
export interface CallInfo {
  /** Counted from 1 within this process. */
  readonly callId: number;
  /** Such as `chat`, `generate`, `embed`, `models.list`, `models.pull`, `status`. */
  readonly operation: string;
  /** The model as the caller named it. */
  readonly model?: string | undefined;
  /** Origin and path of the server. No credentials are ever part of it. */
  readonly baseUrl: string;
  /** Whether the answer is read as a stream of events. */
  readonly streaming: boolean;
}

/**
 * Watches calls from outside. Every function is optional and told after the fact; what it returns is ignored, and one
 * that throws changes nothing (the logger hears of it, if there is one).
 *
 * No hook is given a prompt. `event` alone carries text of the model.
 */
export interface ClientHooks {
  /** A call begins, before anything is sent. */
  request?(call: CallInfo): void;
  /** One try goes out; `number` counts from 1. */
  attempt?(call: CallInfo, attempt: { number: number }): void;
  /** The connection stands. Not told with a plain `fetch`, which cannot know. */
  connect?(call: CallInfo, at: { elapsedMs: number }): void;
  /** Status line and headers are here. */
  firstByte?(call: CallInfo, at: { elapsedMs: number; status: number; requestId?: string | undefined }): void;
  /** The first piece of the answer is here. */
  firstToken?(call: CallInfo, at: { elapsedMs: number }): void;
  /** Every event of a stream, as the iterator yields it. */
  event?(call: CallInfo, event: ChatEvent): void;
  /** A tool call asked for by the model, or run by the tool loop (`run` is then present). */
  toolCall?(
    call: CallInfo,
    tool: { id: string; name: string; run?: { durationMs: number; failed: boolean } | undefined },
  ): void;
  /** A try failed and another follows after `delayMs`. */
  retry?(call: CallInfo, retry: { attempt: Attempt; delayMs: number; error: ZiggieError }): void;
  /**
   * The connection of a resumable answer broke after its first token. It is picked up again after `delayMs`, or when the
   * network is back if the machine is `offline`. Told before every try; `tries` counts from 1.
   */
  reconnecting?(
    call: CallInfo,
    at: { tries: number; delayMs: number; offline: boolean; error: ZiggieError },
  ): void;
  /** The answer goes on where it broke, after `elapsedMs` without a connection. */
  reconnected?(call: CallInfo, at: { elapsedMs: number }): void;
  /** The call is over and well. */
  done?(
    call: CallInfo,
    end: {
      elapsedMs: number;
      attempts: readonly Attempt[];
      usage?: Usage | undefined;
      timings?: Timings | undefined;
      stats?: AnswerStats | undefined;
      finishReason?: string | undefined;
      upstreamModel?: string | undefined;
    },
  ): void;
  /** The call failed for good; an abort is one of the codes. */
  error?(call: CallInfo, end: { elapsedMs: number; error: ZiggieError }): void;
}
