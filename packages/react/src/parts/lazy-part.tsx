import { type ComponentType, type ReactElement, useSyncExternalStore } from 'react';
import { doEarly } from './early-work.ts';

/**
 * A component whose code is fetched when it is first shown; until then, and on a server, it is nothing. Unlike `lazy` it
 * needs no boundary and never hides what is around it. A failed fetch is tried again the next time it is shown. To be
 * called once per component, outside of any other.
 *
 * With `early` it is fetched once the page has nothing else to do (see `doEarly`), for what must be there at once,
 * or without a network. `Waiting` keeps its place free until it is there.
 */
export function lazyPart<P extends object>(
  load: () => Promise<ComponentType<P>>,
  { early = false, Waiting }: { early?: boolean; Waiting?: ComponentType<P> } = {},
): ComponentType<P> {
  let Part: ComponentType<P> | null = null;
  let isAsked = false;
  const listeners = new Set<() => void>();
  const ask = async () => {
    isAsked = true;
    try {
      Part = await load();
    } catch {
      isAsked = false;
      return;
    }
    for (const listener of [...listeners]) listener();
  };
  if (early) {
    doEarly(() => {
      if (!isAsked) void ask();
    });
  }
  const subscribe = (listener: () => void) => {
    const own = () => listener();
    listeners.add(own);
    if (!isAsked) void ask();
    return () => {
      listeners.delete(own);
    };
  };
  // biome-ignore lint/correctness/noComponentHookFactories: called at the top of a module, as `lazy` is
  return function LazyPart(props: P): ReactElement | null {
    const Shown = useSyncExternalStore(
      subscribe,
      () => Part,
      () => null,
    );
    const Now = Shown ?? Waiting;
    return Now === undefined ? null : <Now {...props} />;
  };
}
