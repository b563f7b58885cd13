import type { Cell } from '@ziggie/llm-client/conversation';
import { useCallback, useSyncExternalStore } from 'react';

/** The value of a cell; renders again when it changes. On a server, the value of the moment. */
export function useCell<T>(cell: Cell<T>): T {
  const subscribe = useCallback((listener: () => void) => cell.subscribe(listener), [cell]);
  const get = useCallback(() => cell.get(), [cell]);
  return useSyncExternalStore(subscribe, get, get);
}

/**
 * What `select` makes of a cell's value; renders again only when that changes by `Object.is`.
 *
 * `select` runs once per value, so it may make objects.
 */
export function useSelected<T, S>(cell: Cell<T>, select: (value: T) => S): S {
  const subscribe = useCallback((listener: () => void) => cell.subscribe(listener), [cell]);
  const get = useSelector(cell, select);
  return useSyncExternalStore(subscribe, get, get);
}

function useSelector<T, S>(cell: Cell<T>, select: (value: T) => S): () => S {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the closure is the memory
  return useCallback(remembering(cell, select), [cell, select]);
}

function remembering<T, S>(cell: Cell<T>, select: (value: T) => S): () => S {
  let last: { value: T; selected: S } | null = null;
  return () => {
    const value = cell.get();
    if (last === null || !Object.is(last.value, value)) last = { value, selected: select(value) };
    return last.selected;
  };
}
