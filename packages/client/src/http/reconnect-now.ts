/** Whoever waits for a better moment. */
export const waiting = new Set<() => void>();

/**
 * Ends the waits before the next try of all broken answers, for a reader who knows that the network is back. A wait that a
 * server asked for stays.
 */
export function reconnectNow(): void {
  for (const wake of [...waiting]) wake();
}
