import type { Cell } from '@ziggie/llm-client/conversation';

/** A cell with its writing end, for state of the page that belongs to no message. */
export interface WritableCell<T> extends Cell<T> {
  set(value: T): void;
}

/** Watchers are told when the value is another one. */
export function createCell<T>(first: T): WritableCell<T> {
  const listeners = new Set<() => void>();
  let value = first;
  return {
    get: () => value,
    subscribe(listener) {
      const own = () => listener();
      listeners.add(own);
      return () => listeners.delete(own);
    },
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
  };
}
