/** Token counts of one answer. */
export interface Usage {
  /** Tokens of the prompt, cached ones included. */
  inputTokens: number;
  /** The part of `inputTokens` that came out of a prompt cache, when the upstream says so. */
  cachedInputTokens?: number | undefined;
  /** Tokens that the model wrote, thinking included. */
  outputTokens: number;
  /** `upstream`: counted by the engine. `estimated`: the engine did not say, so we guessed. */
  source: 'upstream' | 'estimated';
}

/**
 * Where the time of one answer went, in milliseconds. A phase that was not seen or not reported is absent;
 * absent is not zero.
 */
export interface Timings {
  /** Waiting for a place: the gateway's queue and the engine's own. */
  queueMs?: number | undefined;
  /** Bringing the model into memory. */
  loadMs?: number | undefined;
  /** Reading the prompt. */
  prefillMs?: number | undefined;
  /** Writing the answer. */
  decodeMs?: number | undefined;
  /** From the request to the first token (TTFT). */
  ttftMs?: number | undefined;
  /** From the request to the end. */
  totalMs?: number | undefined;
}

/** Why a complete answer ended. */
export type FinishReason = 'stop' | 'length' | 'tool_calls';
