import type { StreamEventBody } from '@ziggie/llm-protocol';
import type { RequestContext } from '../context.ts';
import type { Lease } from '../lease.ts';
import type { PlaceInLine } from '../queue/place-in-line.ts';
import type { Waiter } from '../waiter.ts';
import type { RunRequest } from './run.ts';
import type { WholeSource } from './whole-answer.ts';

/**
 * One answer on its way to one caller, wherever its events come from: a run of its own, one that several share, or an
 * answer that was kept.
 */
export interface AnswerRun extends WholeSource {
  readonly request: RunRequest;
  readonly context: RequestContext;
  readonly lease: Lease;
  /** Whether anything was written that was passed on. */
  readonly hasBegun: boolean;
  /** Whether a model server was asked, for this caller. */
  readonly wasSent: boolean;
  /**
   * The events that are here, maybe none; `undefined` while there are none: then the waiter is told when it is worth
   * asking again.
   *
   * @throws {KitFailure} behind everything that came before it.
   */
  take(): StreamEventBody[] | undefined;
  /**
   * Whether all that is here has been taken, so that it is not worth asking again before the waiter is told. A run that
   * does not know says nothing.
   */
  readonly isDry?: boolean | undefined;
  next(): StreamEventBody[] | Promise<StreamEventBody[]>;
  /** Gives back what it holds. Harmless when repeated. */
  release(): void;
  /** Told when it is worth taking again after there was nothing. */
  waiter: Waiter | undefined;
  /** Called while the model is being loaded, about once a second. */
  onLoading: ((elapsedMs: number, typicalMs: number | null) => void) | undefined;
  /** Called while the request waits for a place, whenever its own changes. */
  onQueued: ((place: PlaceInLine) => void) | undefined;
  /** Called once it has a place. */
  onPlaced: (() => void) | undefined;
}
