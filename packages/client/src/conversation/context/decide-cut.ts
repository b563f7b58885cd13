/** What there is to decide about. All sizes are tokens. */
export interface CutQuestion {
  /** Of each part of the branch, first to last. */
  sizes: readonly number[];
  /** Whether a request may begin with this part: a message of the user. */
  mayBegin: readonly boolean[];
  /** What is always sent: system prompt, summary, tools. */
  fixed: number;
  /** The window less the room for the answer. */
  budget: number;
  /** With which part earlier requests began. */
  first: number;
}

/** With which part the request begins. */
export interface CutDecision {
  first: number;
  /** Tokens that are sent. */
  total: number;
  /** Not even the last turn fits. */
  full: boolean;
}

/**
 * After a cut this part of the budget is used. The rest is room for the turns that follow, so that the next cut is far
 * away: a server's prompt cache holds only as long as the beginning of the prompt stays the same.
 */
const USED_AFTER_CUT = 0.5;

/**
 * Where to cut a branch that outgrew its budget: seldom, and much at once.
 *
 * As long as everything since the last cut fits, the cut stays where it is. Then it moves to the first turn from which half
 * of the budget suffices, at the latest to the last turn. It goes away when the whole branch takes no more than that half,
 * as after a change to a model that reads more.
 */
export function decideCut({ sizes, mayBegin, fixed, budget, first }: CutQuestion): CutDecision {
  const from: number[] = [];
  let sum = fixed;
  for (let index = sizes.length - 1; index >= 0; index--) {
    sum += sizes[index] ?? 0;
    from[index] = sum;
  }
  const total = (index: number): number => from[index] ?? fixed;
  const target = budget * USED_AFTER_CUT;
  if (first > 0 && total(0) <= target) return { first: 0, total: total(0), full: false };
  if (total(first) <= budget) return { first, total: total(first), full: false };
  let last = first;
  for (let index = first + 1; index < sizes.length; index++) {
    if (!mayBegin[index]) continue;
    last = index;
    if (total(index) <= target) break;
  }
  return { first: last, total: total(last), full: total(last) > budget };
}
