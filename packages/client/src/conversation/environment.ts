/** Without frames: as long as one at 60 Hz. */
const FRAME_MS = 16;
/** Browsers draw no frames in hidden pages. Longer than any frame that is still coming. */
const HIDDEN_FRAME_MS = 250;

/**
 * From the frame that drew something to the next change of the page. At 60 Hz every other frame brings something: a text
 * that grows thirty times a second reads as steadily as one that grows sixty times, for half of the work. What is left until
 * that frame is for the page's own work on the change.
 */
const AFTER_FRAME_MS = 22;

/**
 * Calls back in a task of its own, at most once per frame that is drawn and 22 ms after it; where none comes (Node, workers,
 * hidden pages) after a short wait. After a pause it is the next task.
 *
 * Not in the frame itself: what the page does with a change and the browser's layout of it would be one task, as long as both.
 */
export function frames(): (publish: () => void) => void {
  let isDrawing = false;
  let nextAt = Number.NEGATIVE_INFINITY;
  let waiting: (() => void) | null = null;

  const drawn = (): void => {
    isDrawing = false;
    nextAt = performance.now() + AFTER_FRAME_MS;
    const publish = waiting;
    waiting = null;
    if (publish !== null) publishSoon(publish);
  };
  const watchFrame = (): void => {
    isDrawing = true;
    const frame = requestAnimationFrame(() => {
      clearTimeout(timer);
      drawn();
    });
    const timer = setTimeout(() => {
      cancelAnimationFrame(frame);
      drawn();
    }, HIDDEN_FRAME_MS);
  };
  const publishSoon = (publish: () => void): void => {
    setTimeout(
      () => {
        watchFrame();
        publish();
      },
      Math.max(0, nextAt - performance.now()),
    );
  };
  return (publish) => {
    if (typeof requestAnimationFrame !== 'function') setTimeout(publish, FRAME_MS);
    else if (isDrawing) waiting = publish;
    else publishSoon(publish);
  };
}

/**
 * In a page the next task, elsewhere now: what the page does about a call and what the call goes on with are two tasks then.
 * No timer, of which a hidden page gets one a second.
 */
export function nextTask(): Promise<void> | undefined {
  if (typeof requestAnimationFrame !== 'function' || typeof MessageChannel !== 'function') return undefined;
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** A random message id: a UUID, or as many random bits in hex on pages without a secure context. */
export function randomId(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}
