/** Where a request stands. */
export interface PlaceInLine {
  /** Counted from 1, in the order in which the line would be served as things stand. */
  position: number;
  /** How many wait for the same model. */
  of: number;
  /** Expected wait in ms, `null` while there is nothing to go by. */
  etaMs: number | null;
}
