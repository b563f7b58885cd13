/** Whether Command is the key for shortcuts here. */
export function isApple(): boolean {
  return typeof navigator !== 'undefined' && /Mac|iP(hone|ad|od)/.test(navigator.platform);
}
