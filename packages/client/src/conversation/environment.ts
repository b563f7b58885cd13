/** Without frames, and while a page is hidden: as long as one frame at 60 Hz. */
const FRAME_MS = 16;
/** Browsers draw no frames in hidden pages. Longer than any frame that is still coming. */
const HIDDEN_FRAME_MS = 250;

/** Calls back with the next animation frame; where none comes (Node, workers, hidden pages) after a short wait. */
export function nextFrame(publish: () => void): void {
  if (typeof requestAnimationFrame !== 'function') {
    setTimeout(publish, FRAME_MS);
    return;
  }
  const frame = requestAnimationFrame(() => {
    clearTimeout(timer);
    publish();
  });
  const timer = setTimeout(() => {
    cancelAnimationFrame(frame);
    publish();
  }, HIDDEN_FRAME_MS);
}

/** A random message id: a UUID, or as many random bits in hex on pages without a secure context. */
export function randomId(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}
