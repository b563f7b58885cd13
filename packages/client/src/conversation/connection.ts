import type { Connection } from './ports.ts';

/** The browser's word on whether there is a network; online wherever nobody says otherwise (Node, most workers). */
export const platformConnection: Connection = {
  isOnline: () => globalThis.navigator?.onLine !== false,
  subscribe(listener) {
    if (typeof globalThis.addEventListener !== 'function') return () => {};
    for (const type of ['online', 'offline']) addEventListener(type, listener);
    return () => {
      for (const type of ['online', 'offline']) removeEventListener(type, listener);
    };
  },
};
