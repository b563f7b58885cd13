import { useInsertionEffect, useRef } from 'react';

/** A box that holds the newest value, for functions that outlive a render. Not to be read while rendering. */
export function useLatest<T>(value: T): { readonly current: T } {
  const box = useRef(value);
  useInsertionEffect(() => {
    box.current = value;
  });
  return box;
}
