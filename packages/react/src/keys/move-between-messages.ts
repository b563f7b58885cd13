/** Puts the focus on the message before or after the one that has it, from outside on the last. `false`: there is none. */
export function focusMessage(root: HTMLElement | null, step: 1 | -1): boolean {
  const rows = [...(root?.querySelectorAll<HTMLElement>('[data-zg-row]') ?? [])];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const to = at < 0 ? rows.at(-1) : rows[at + step];
  if (to === undefined) return false;
  to.tabIndex = -1;
  to.focus();
  to.scrollIntoView({ block: 'nearest' });
  return true;
}

/** Presses a button of the message that has the focus, of the last answer without one. `false`: there is none. */
export function pressInMessage(root: HTMLElement | null, label: string): boolean {
  const rows = [...(root?.querySelectorAll<HTMLElement>('[data-zg-row][data-role="assistant"]') ?? [])];
  const row = rows.find((one) => one.contains(document.activeElement)) ?? rows.at(-1);
  const button = [...(row?.querySelectorAll('button') ?? [])].find(
    (one) => one.getAttribute('aria-label') === label,
  );
  button?.click();
  return button !== undefined;
}
