import type { ReactElement } from 'react';
import { useQueue } from '../hooks/use-queue.ts';
import { lazyPart } from '../parts/lazy-part.tsx';

const LazyQueueList = lazyPart(() => import('./queue-list.tsx').then(({ QueueList }) => QueueList), {
  early: true,
});

/** What waits to be sent, above the composer: in sight, editable, in the reader's order. Nothing while nothing waits. */
export function QueueTray(): ReactElement | null {
  return useQueue().items.length === 0 ? null : <LazyQueueList />;
}
