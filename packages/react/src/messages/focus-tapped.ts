/**
 * Without a pointer that hovers, a tap on a message gives it the focus, which shows what can be done with it. On a click, when
 * the tap is over: what only shows now is not what was tapped.
 */
export function focusTapped({ target }: { target: EventTarget }): void {
  const row = (target as Element).closest<HTMLElement>('[data-zg-row]');
  if (matchMedia('(hover: hover)').matches || !row || row.contains(document.activeElement)) return;
  row.tabIndex = -1;
  row.focus({ preventScroll: true });
}
