import { waiting } from './reconnect-now.ts';

/** What the platform knows about its network. */
export interface Network {
  /** `false` only when the platform is sure. */
  online(): boolean;
  /** Calls back when the network comes back, the page is looked at again or the reader asks; returns how to stop that. */
  onWake(listener: () => void): () => void;
}

interface Page extends EventTarget {
  readonly visibilityState?: string;
}

/** Browsers and workers tell; in Node the network is always there and nothing wakes. */
export const platformNetwork: Network = {
  online: () => globalThis.navigator?.onLine !== false,
  onWake(listener) {
    const page = (globalThis as { document?: Page }).document;
    const seen = (): void => {
      if (page?.visibilityState !== 'hidden') listener();
    };
    waiting.add(listener);
    globalThis.addEventListener?.('online', listener);
    globalThis.addEventListener?.('pageshow', seen);
    page?.addEventListener('visibilitychange', seen);
    return () => {
      waiting.delete(listener);
      globalThis.removeEventListener?.('online', listener);
      globalThis.removeEventListener?.('pageshow', seen);
      page?.removeEventListener('visibilitychange', seen);
    };
  },
};
