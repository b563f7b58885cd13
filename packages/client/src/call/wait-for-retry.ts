import { TimeoutError } from '../errors/timeout-error.ts';
import type { ZiggieError } from '../errors/ziggie-error.ts';
import { nextDelayMs } from '../retry/next-delay.ts';
import { retryRules } from '../retry/retry-rules.ts';
import type { CallScope } from './call-scope.ts';

/**
 * Waits as long as is right before another attempt of a call.
 *
 * @param failures How many attempts count as failed. Default: all so far.
 * @throws The error itself, when there should be none; why the call was stopped, when it was.
 */
export async function waitForRetry(scope: CallScope, error: ZiggieError, failures?: number): Promise<void> {
  scope.newInterrupt();
  const { attempts, tell, log, settings, options } = scope;
  const { credentials, random } = settings;
  const attempt = attempts.at(-1);
  if (error.code === 'unauthorized' && typeof credentials === 'function' && !scope.askedAgain) {
    scope.askedAgain = true;
    if (attempt) tell('retry', { attempt, delayMs: 0, error });
    return;
  }
  // Neither the try that only brought a new token counts, nor those that picked up a broken answer.
  const made = failures ?? attempts.filter(({ resumed }) => !resumed).length - (scope.askedAgain ? 1 : 0);
  const delayMs = nextDelayMs(made, error, retryRules(settings, options), random());
  if (delayMs === undefined) throw error;
  if (attempt) tell('retry', { attempt, delayMs, error });
  log('warn', 'A try failed; another follows.', {
    code: error.code,
    status: error.status,
    attempt: attempt?.number,
    delayMs,
  });
  await sleep(scope, delayMs, error);
}

/**
 * Waits, unless the call is stopped first.
 *
 * @param error What went wrong before: it tells more than the clock, when time runs out here.
 * @param wake Ends the wait early, when it resolves.
 */
export async function sleep(
  scope: CallScope,
  delayMs: number,
  error: ZiggieError,
  wake?: Promise<void>,
): Promise<void> {
  let cancel = (): void => {};
  const elapsed = new Promise<void>((resolve) => {
    cancel = scope.settings.clock.setTimer(resolve, delayMs);
  });
  try {
    await scope.newInterrupt().wait(wake === undefined ? elapsed : Promise.race([elapsed, wake]));
  } catch (stopped) {
    throw stopped instanceof TimeoutError ? Object.assign(stopped, { cause: error }) : stopped;
  } finally {
    cancel();
  }
}
