import type { Recorder } from './recorder.ts';
import type { FakeReport } from './types.ts';

/** Resolves when the condition holds, looking again after every change; rejects after `timeoutMs` of real time. */
export function waitFor(
  recorder: Recorder,
  report: () => FakeReport,
  condition: (report: FakeReport) => boolean,
  timeoutMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const check = () => {
      let holds: boolean;
      try {
        holds = condition(report());
      } catch (cause) {
        finish();
        reject(cause);
        return;
      }
      if (!holds) return;
      finish();
      resolve();
    };
    const timer = setTimeout(() => {
      finish();
      const { openGenerations, waiting, requests } = report();
      reject(
        new Error(
          `Waiting for the stand-in: the condition did not hold within ${timeoutMs} ms ` +
            `(${requests.length} requests, ${openGenerations} generating, ${waiting} waiting).`,
        ),
      );
    }, timeoutMs);
    const unwatch = recorder.watch(check);
    const finish = () => {
      clearTimeout(timer);
      unwatch();
    };
    check();
  });
}
