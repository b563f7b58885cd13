/** Counts of a run. */
export interface TallyView {
  asked: number;
  whole: number;
  /** Failed and nothing of the answer had been seen: what a fleet is there to prevent. */
  failedBeforeFirstToken: number;
  /** Broke off in the middle: told to the user with what had arrived. */
  cutAfterFirstToken: number;
  /** Answers that took more than one try of the client. */
  askedAgain: number;
  tokensPerSecond: number;
  /** Half of the last answers had their first token within this. */
  medianFirstTokenMs: number | null;
  /** Codes of the latest failures, newest first. */
  lastFailures: { code: string; before: boolean; at: number }[];
}

const rateOverMs = 2000;
const keptFirstTokens = 100;
const keptFailures = 5;

/** Counts what became of the questions. */
export class Tally {
  #counts = { asked: 0, whole: 0, failedBeforeFirstToken: 0, cutAfterFirstToken: 0, askedAgain: 0 };
  #firstTokensMs: number[] = [];
  #failures: TallyView['lastFailures'] = [];
  /** Tokens of each tenth of a second. */
  readonly #tokens = new Map<number, number>();

  asked(): void {
    this.#counts.asked++;
  }

  firstToken(afterMs: number): void {
    this.#firstTokensMs = [...this.#firstTokensMs, afterMs].slice(-keptFirstTokens);
  }

  token(): void {
    const slice = Math.floor(Date.now() / 100);
    this.#tokens.set(slice, (this.#tokens.get(slice) ?? 0) + 1);
  }

  whole(attempts: number): void {
    this.#counts.whole++;
    if (attempts > 1) this.#counts.askedAgain++;
  }

  failed(code: string, hadToken: boolean): void {
    this.#counts[hadToken ? 'cutAfterFirstToken' : 'failedBeforeFirstToken']++;
    this.#failures = [{ code, before: !hadToken, at: Date.now() }, ...this.#failures].slice(0, keptFailures);
  }

  view(): TallyView {
    const since = Math.floor((Date.now() - rateOverMs) / 100);
    let tokens = 0;
    for (const [slice, count] of this.#tokens) {
      if (slice < since) this.#tokens.delete(slice);
      else tokens += count;
    }
    const sorted = this.#firstTokensMs.toSorted((a, b) => a - b);
    return {
      ...this.#counts,
      tokensPerSecond: Math.round((tokens * 1000) / rateOverMs),
      medianFirstTokenMs: sorted[Math.floor(sorted.length / 2)] ?? null,
      lastFailures: this.#failures,
    };
  }
}
