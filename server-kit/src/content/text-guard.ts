/** Text on its way, piece by piece: what has passed is given back, what may not pass yet is kept. */
export interface TextGuard {
  /** Takes a piece; gives what may go on, maybe nothing. @throws {KitFailure} when the text may not. */
  push(text: string): string;
  /** Gives what is kept: nothing follows, or something else comes between. */
  flush(): string;
}
