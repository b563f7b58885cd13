/** What a page keeps alive beyond its elements: listeners of things that outlive them, timers, channels. */
export interface Open {
  readonly listeners: number;
  readonly timers: number;
  readonly channels: number;
}

/** Counts what is opened and closed from now on. */
export function watchWhatIsOpen(): { now: () => Open; stop: () => void } {
  const undo: (() => void)[] = [];
  const replace = <T extends object, K extends keyof T>(owner: T, name: K, make: (real: T[K]) => T[K]) => {
    const real = owner[name];
    owner[name] = make(real);
    undo.push(() => {
      owner[name] = real;
    });
  };

  const listeners = new Set<string>();
  const names = new Map<unknown, number>();
  const nameOf = (listener: unknown) => {
    if (!names.has(listener)) names.set(listener, names.size);
    return names.get(listener);
  };
  for (const target of [window, document, window.visualViewport as VisualViewport]) {
    const keyOf = (type: string, listener: unknown, options: unknown) => {
      const capture =
        typeof options === 'object' ? (options as { capture?: boolean } | null)?.capture : options;
      return `${target.constructor.name} ${type} ${nameOf(listener)} ${capture === true}`;
    };
    replace(target as EventTarget, 'addEventListener', (real) => (type, listener, options) => {
      const key = keyOf(type, listener, options);
      listeners.add(key);
      if (typeof options === 'object') options.signal?.addEventListener('abort', () => listeners.delete(key));
      real.call(target, type, listener, options);
    });
    replace(target as EventTarget, 'removeEventListener', (real) => (type, listener, options) => {
      listeners.delete(keyOf(type, listener, options));
      real.call(target, type, listener, options);
    });
  }

  const timers = new Set<number>();
  replace(
    window,
    'setTimeout',
    (real) =>
      ((run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
        const id: number = (real as typeof window.setTimeout)(() => {
          timers.delete(id);
          run(...args);
        }, ms);
        timers.add(id);
        return id;
      }) as typeof setTimeout,
  );
  replace(
    window,
    'setInterval',
    (real) =>
      ((run: () => void, ms?: number) => {
        const id: number = (real as typeof window.setInterval)(run, ms);
        timers.add(id);
        return id;
      }) as typeof setInterval,
  );
  for (const name of ['clearTimeout', 'clearInterval'] as const) {
    replace(window, name, (real) => (id) => {
      timers.delete(Number(id));
      real.call(window, id);
    });
  }

  let channels = 0;
  replace(
    window,
    'BroadcastChannel',
    (Real) =>
      class extends Real {
        constructor(name: string) {
          super(name);
          channels += 1;
        }
        override close(): void {
          channels -= 1;
          super.close();
        }
      },
  );

  return {
    now: () => ({ listeners: listeners.size, timers: timers.size, channels }),
    stop: () => {
      for (const one of undo.reverse()) one();
    },
  };
}
