import { useCell } from '../hooks/use-cell.ts';
import type { LazyPlugin } from './lazy-plugin.ts';

const missing = { get: () => null, subscribe: () => () => {} };

/** The plug-in, `null` while it is not there. Watching it fetches it. */
export function usePlugin<T>(plugin: LazyPlugin<T> | null): T | null {
  return useCell<T | null>(plugin ?? missing);
}
