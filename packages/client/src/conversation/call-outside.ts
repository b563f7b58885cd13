/**
 * Calls code that is not ours: a watcher, a callback of the options. What it throws is reported as an event listener's
 * error would be (`window.onerror`, `uncaughtException`) and breaks nothing here.
 */
export function callOutside(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
