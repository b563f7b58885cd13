/**
 * How urgent a job is. `interactive` has somebody looking at the screen, `batch` has not: it is served when no other job
 * of its model waits, and once per guard time even then. `urgent` goes before both; only an administrator gives it.
 */
export const priorities = ['urgent', 'interactive', 'batch'] as const;

/** One of {@link priorities}. */
export type Priority = (typeof priorities)[number];

/** A job as the line sees it. */
export interface LineJob {
  readonly id: string;
  /** Whose turn it takes. */
  readonly flowKey: string;
  /** How large a share its principal has beside others. */
  readonly weight: number;
  /** Service time it is expected to take, in ms. */
  readonly estimateMs: number;
  priority: Priority;
}
