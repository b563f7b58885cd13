import type { Clock } from '../clock.ts';

/** How many pieces the self-test sends, and how far apart, in ms: a second in all, each as small as a token. */
export const tickCount = 20;
export const tickEveryMs = 50;

const encoder = new TextEncoder();

/**
 * A stream of small lines at an even pace, for whoever measures how they arrive. Paced by the clock and not by its reader:
 * what a slow reader is behind shows.
 */
export function tickStream(clock: Clock): ReadableStream<Uint8Array<ArrayBuffer>> {
  let cancel = () => {};
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      const beganAt = clock.now();
      let seq = 0;
      const line = (record: object) => controller.enqueue(encoder.encode(`${JSON.stringify(record)}\n`));
      const tick = () => {
        line({ type: 'tick', seq: seq++, atMs: Math.round(clock.now() - beganAt) });
        if (seq < tickCount) {
          cancel = clock.setTimer(tick, tickEveryMs);
          return;
        }
        line({ type: 'done', ticks: tickCount, everyMs: tickEveryMs });
        controller.close();
      };
      tick();
    },
    cancel: () => cancel(),
  });
}
