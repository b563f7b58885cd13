/** What is known of one upstream when a request looks for a place. Times in ms. */
export interface Candidate {
  /** How long until the model can answer: 0 when it is in memory, the rest of a load that runs, else a whole load. */
  loadMs: number;
  /** Whether the model must be loaded and another load runs there: loads are made one after another, so it waits. */
  isBlocked: boolean;
  /** What a load here takes from others: the load of the model that has to go, as far as it will be missed. */
  evictionMs: number;
  /** Running answers of this model here, and how many there may be. */
  inFlight: number;
  slots: number;
  /** Running answers of all models here, and how many there may be. */
  totalInFlight: number;
  maxInFlight: number;
  /** How long an answer of this model holds its place. */
  serviceMs: number;
  /** Requests that will want a place here before this one does. */
  ahead: number;
  /** How long nobody who waits for the model has got a place: a wait is at least as long again. */
  waitedMs: number;
  /** Requests whose turn a load here would put off, because it takes the whole upstream. */
  heldUp: number;
  /** How long the prompt takes to read, without what is still in a cache here. */
  prefillMs: number;
  /** Share of the work it should get. */
  weight: number;
}

/** What a request would meet there. */
export interface ExpectedCost {
  /** Whether it could run at once. */
  isFree: boolean;
  /** Until its first token, in ms. */
  waitMs: number;
  /** The same with what it would cost others: the number that is compared. */
  costMs: number;
}

/** How much a full upstream slows its answers down against an empty one, as a share of their time. */
const crowding = 0.5;

/** The cost of running one request on one upstream. Pure: the same knowledge gives the same number. */
export function expectedCost({
  loadMs,
  isBlocked,
  evictionMs,
  inFlight,
  slots,
  totalInFlight,
  maxInFlight,
  serviceMs,
  ahead,
  waitedMs,
  heldUp,
  prefillMs,
  weight,
}: Candidate): ExpectedCost {
  const hasSlot = inFlight < slots && totalInFlight < maxInFlight;
  const isFree = hasSlot && !isBlocked;
  const parallel = Math.min(slots, maxInFlight);
  const placeMs = hasSlot ? 0 : Math.max(((ahead + 1) * serviceMs) / parallel, waitedMs);
  const crowdMs = parallel > 1 ? (serviceMs * crowding * Math.min(1, totalInFlight / parallel)) / weight : 0;
  const waitMs = placeMs + loadMs + prefillMs;
  return { isFree, waitMs, costMs: waitMs + evictionMs + loadMs * heldUp + crowdMs };
}

/** Costs this near to each other, in ms, are equal: then shares of the work decide. */
const equalMs = 1;

/**
 * The one that costs least, by its place in the list; -1 in an empty list. Among equals the one with less of its share
 * (`load`, smaller first).
 */
export function cheapest(costs: readonly ExpectedCost[], load: (at: number) => number): number {
  let best = -1;
  costs.forEach(({ costMs }, at) => {
    const least = costs[best];
    if (!least || costMs < least.costMs - equalMs) best = at;
    else if (costMs <= least.costMs + equalMs && load(at) < load(best)) best = at;
  });
  return best;
}
