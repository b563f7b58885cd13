/** Faults in a row, and of the last 20 ends, that open a breaker; how long it stays open, in ms. */
const mostInRow = 3;
const windowLength = 20;
const mostInWindow = 10;
const firstOpenMs = 5000;
const longestOpenMs = 60_000;

/** `closed` lets everything through, `open` nothing, `half_open` one request whose end decides. */
export type BreakerState = 'closed' | 'open' | 'half_open';

/**
 * Keeps requests from a model server that fails: it opens after 3 faults in a row or 10 among the last 20 ends, for 5 s,
 * then lets one request through. Its first token, or a good end, closes it; another fault opens it for twice as long, 60 s
 * at most.
 *
 * What says nothing about the server (its caller left, the request was wrong) must be told as `neutral`. Time is passed
 * in; it has no timers.
 */
export class Breaker {
  #ends: boolean[] = [];
  #inRow = 0;
  #openMs = firstOpenMs;
  #openUntil: number | undefined;
  #trialIsOut = false;
  #suspect: string | undefined;

  state(now: number): BreakerState {
    if (this.#openUntil === undefined) return 'closed';
    return now < this.#openUntil ? 'open' : 'half_open';
  }

  /** Closed, and the last end was not a fault. */
  get isSteady(): boolean {
    return this.#openUntil === undefined && this.#inRow === 0;
  }

  /** When an open breaker lets one request through; `undefined` when it is closed. */
  get reopensAt(): number | undefined {
    return this.#openUntil;
  }

  /** The one request that decides is under way. */
  get isOnTrial(): boolean {
    return this.#trialIsOut;
  }

  /** Whether a request may go now. */
  mayPass(now: number): boolean {
    return this.#openUntil === undefined || (now >= this.#openUntil && !this.#trialIsOut);
  }

  /** A request goes. Gives whether it is the one that decides; that is to be told with its end. */
  passed(): boolean {
    if (this.#openUntil === undefined) return false;
    this.#trialIsOut = true;
    return true;
  }

  /**
   * How a request ended. Ends of requests that began before the breaker opened are not of interest any more.
   *
   * @param suspect Who asked, where the request itself may have caused the fault: faults in a row of one and the same count
   *   once, so that nobody can close a server to all others.
   */
  ended(how: 'good' | 'fault' | 'neutral', now: number, wasTrial: boolean, suspect?: string): void {
    if (wasTrial) {
      this.#trialIsOut = false;
      if (how === 'good') this.close();
      else if (how === 'fault') this.#open(now, Math.min(this.#openMs * 2, longestOpenMs));
      return;
    }
    if (how === 'neutral' || this.#openUntil !== undefined) return;
    const isFault = how === 'fault';
    if (isFault && suspect !== undefined && suspect === this.#suspect) return;
    this.#suspect = isFault ? suspect : undefined;
    this.#inRow = isFault ? this.#inRow + 1 : 0;
    this.#ends.push(isFault);
    if (this.#ends.length > windowLength) this.#ends.shift();
    // A good end can only make it better.
    if (!isFault) return;
    const faults = this.#ends.reduce((sum, one) => sum + Number(one), 0);
    if (this.#inRow >= mostInRow || faults >= mostInWindow) this.#open(now, this.#openMs);
  }

  /** Lets everything through again, as after a probe by hand. */
  close(): void {
    this.#openUntil = undefined;
    this.#openMs = firstOpenMs;
    this.#inRow = 0;
    this.#ends = [];
    this.#suspect = undefined;
    this.#trialIsOut = false;
  }

  #open(now: number, forMs: number): void {
    this.#openMs = forMs;
    this.#openUntil = now + forMs;
    this.#inRow = 0;
    this.#ends = [];
  }
}
