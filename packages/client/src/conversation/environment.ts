/** Without frames, and while a page is hidden: as long as one frame at 60 Hz. */
const FRAME_MS = 16;
/** Browsers draw no frames in hidden pages. Longer than any frame that is still coming. */
const HIDDEN_FRAME_MS = 250;

/**
 * Shortest time between two frames that bring something: a text that grows thirty times a second reads as steadily as one
 * that grows sixty times, for half of the work. After a pause the next frame brings it.
 */
const MIN_INTERVAL_MS = 25;

/** Calls back with an animation frame, at most every 25 ms; where none comes (Node, workers, hidden pages) after a short wait. */
export function frames(): (publish: () => void) => void {
  let lastAt = Number.NEGATIVE_INFINITY;
  return (publish) => {
    if (typeof requestAnimationFrame !== 'function') {
      setTimeout(publish, FRAME_MS);
      return;
    }
    const publishNow = (): void => {
      lastAt = performance.now();
      publish();
    };
    const ask = (): void => {
      const frame = requestAnimationFrame(() => {
        clearTimeout(timer);
        publishNow();
      });
      const timer = setTimeout(() => {
        cancelAnimationFrame(frame);
        publishNow();
      }, HIDDEN_FRAME_MS);
    };
    // A frame that is asked for and not used costs the page as well.
    const waitMs = lastAt + MIN_INTERVAL_MS - performance.now();
    if (waitMs > 0) setTimeout(ask, waitMs);
    else ask();
  };
}

/** A random message id: a UUID, or as many random bits in hex on pages without a secure context. */
export function randomId(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}
