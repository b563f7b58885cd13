/**
 * Whoever waits for something to take. An object and not a function: what happens once per token then goes from object to
 * object, without a closure and what it closes over for each step.
 */
export interface Waiter {
  /** It is worth asking again. May be called when there is nothing, too. */
  onReady(): void;
}
