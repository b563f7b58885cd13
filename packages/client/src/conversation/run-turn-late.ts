import { nextTask } from './environment.ts';
import { later } from './fetch-later.ts';
import { whileWanted } from './run.ts';
import type { Turn, TurnOutcome } from './run-turn.ts';

/**
 * `runTurn` as soon as its code is here: in the task of the call where it is, in a page in the one that follows. Stopping does
 * not wait for that; where it cannot be fetched the turn fails, and the next one fetches again.
 */
export async function runTurnLate(turn: Turn): Promise<TurnOutcome | null> {
  let part = later();
  try {
    if (part instanceof Promise) part = await whileWanted(turn.run, part);
    const task = nextTask();
    if (task !== undefined) await whileWanted(turn.run, task);
  } catch {
    if (turn.run.abort.signal.aborted) return { end: { kind: 'stopped' } };
    // Said by hand: what reads failures comes with the same code.
    const message = 'Fetching the code for a turn failed. Is the page offline, or replaced?';
    const failure = { code: 'connect_failed', message, retryable: true };
    return { end: { kind: 'failed', failure } };
  }
  const outcome = await part.runTurn(turn);
  // What the page does about the end is no part of the reading of the last words. One that is closed has no other task.
  const lastTask = nextTask();
  if (lastTask !== undefined) await whileWanted(turn.run, lastTask).catch(() => {});
  return outcome;
}
