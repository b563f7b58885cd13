import { callOutside } from '../call-outside.ts';
import type { StorageChange } from '../storage-port.ts';

/** Tells the watchers of one storage object about changes. */
export interface Changes<T> {
  tell(change: T): void;
  watch(listener: (change: T) => void): () => void;
}

/** Within this page only. */
export function createChanges<T>(): Changes<T> {
  const watchers = new Set<{ listener: (change: T) => void }>();
  return {
    tell(change) {
      for (const { listener } of [...watchers]) callOutside(() => listener(change));
    },
    watch(listener) {
      const watcher = { listener };
      watchers.add(watcher);
      return () => {
        watchers.delete(watcher);
      };
    },
  };
}

/**
 * In this page and in every other tab of the origin, through a `BroadcastChannel`. Where there is none (old browsers,
 * sandboxed frames) only within this page. The channel is open while somebody watches, or for the moment of one message.
 */
export function createSharedChanges(name: string): Changes<StorageChange> {
  const local = createChanges<StorageChange>();
  let channel: BroadcastChannel | null = null;
  let watchers = 0;
  return {
    tell(change) {
      local.tell(change);
      const sender = channel ?? openChannel(name);
      sender?.postMessage(change);
      if (sender !== channel) sender?.close();
    },
    watch(listener) {
      const leave = local.watch(listener);
      watchers++;
      if (channel === null) {
        channel = openChannel(name);
        channel?.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
          if (isChange(data)) local.tell(data);
        });
      }
      let watching = true;
      return () => {
        if (!watching) return;
        watching = false;
        leave();
        if (--watchers > 0) return;
        channel?.close();
        channel = null;
      };
    },
  };
}

function openChannel(name: string): BroadcastChannel | null {
  try {
    const channel = new BroadcastChannel(name);
    // In Node an open channel would keep the process alive.
    (channel as { unref?: () => void }).unref?.();
    return channel;
  } catch {
    return null;
  }
}

/** The channel belongs to the origin, so anybody there may post. */
function isChange(data: unknown): data is StorageChange {
  const { kind, id } = (data ?? {}) as Partial<StorageChange>;
  return (kind === 'saved' || kind === 'removed') && typeof id === 'string';
}
