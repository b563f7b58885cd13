import { streamPath } from '@ziggie/llm-protocol';
import type { CallScope } from '../call/call-scope.ts';
import { sleep } from '../call/wait-for-retry.ts';
import { isZiggieError, type ZiggieError } from '../errors/ziggie-error.ts';
import { platformNetwork } from '../http/network.ts';
import { retryRules } from '../retry/retry-rules.ts';
import type { ChatEvent } from '../types.ts';
import { type AnswerAttempt, type AnswerRequest, newAttempt, type ResumePoint } from './answer-attempt.ts';
import { reconnectDelayMs } from './reconnect-delay.ts';

/**
 * Picks up a broken answer where it was read to, for `retry.reconnectMs` in all ({@link reconnectDelayMs} says when). While
 * the machine is offline nothing is sent; a try follows as soon as the network or the reader is back.
 *
 * @returns The attempt that goes on and its first events. When the answer is lost, the server's own last word on it, or
 *   `undefined` where it has none: the run is gone, or the time is over.
 * @throws {ZiggieError} when the call was stopped meanwhile.
 */
export async function reattach(
  scope: CallScope,
  request: AnswerRequest,
  point: ResumePoint,
  broken: ZiggieError,
): Promise<{ attempt: AnswerAttempt; events: ChatEvent[] } | ZiggieError | undefined> {
  const { settings, options, tell, log } = scope;
  const retry = retryRules(settings, options);
  const { clock, credentials, random, transport } = settings;
  const brokeAt = clock.now();
  let error = broken;
  let newToken = typeof credentials === 'function';
  for (let tries = 1; ; ) {
    const leftMs = retry.reconnectMs - (clock.now() - brokeAt);
    const offline = !platformNetwork.online();
    const delayMs = reconnectDelayMs({
      tries,
      offline,
      error,
      retry,
      random: random(),
      // One that fell silent is this client's own loss, as is one that was found dead on waking.
      isShared: transport.isShared === true && broken.code !== 'idle_timeout',
    });
    // A server that asks for more than is left is not asked sooner; a wait of our own only gets shorter.
    const isTooLate = error.retryAfterMs !== undefined && !offline && (delayMs ?? Infinity) > leftMs;
    if (leftMs <= 0 || delayMs === undefined || isTooLate) return undefined;
    tell('reconnecting', { tries, delayMs: Math.min(delayMs, leftMs), offline, error });
    log('warn', 'An answer broke; it is picked up again.', { code: error.code, tries, offline });
    await rest(scope, Math.min(delayMs, leftMs), error);
    if (!platformNetwork.online()) continue;
    const path = streamPath(point.id, point.decoder.lastSeq);
    const attempt = newAttempt(scope, { ...request, path }, point);
    try {
      const events = await attempt.read(
        (found) => found,
        (reason) => Promise.reject(reason),
      );
      tell('reconnected', { elapsedMs: clock.now() - brokeAt });
      return { attempt, events };
    } catch (failure) {
      if (!isZiggieError(failure)) throw failure;
      attempt.fail(failure);
      // Nothing more of this run. Whether the question may be asked again is decided as after any other last word.
      if (point.decoder.ended) return failure;
      // A gap: nothing that another try could mend.
      if (failure.code === 'malformed_record') throw failure;
      if (failure.code === 'unauthorized' && newToken) newToken = false;
      else if (!failure.retryable) return undefined;
      error = failure;
      tries++;
    }
  }
}

/** Waits for the time or the network. An explicit wish of the server is not cut short. */
async function rest(scope: CallScope, delayMs: number, error: ZiggieError): Promise<void> {
  if (delayMs <= 0) return;
  let stop = (): void => {};
  const woken = new Promise<void>((resolve) => {
    if (error.retryAfterMs === undefined) stop = platformNetwork.onWake(resolve);
  });
  try {
    await sleep(scope, delayMs, error, woken);
  } finally {
    stop();
  }
}
