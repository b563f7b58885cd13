/**
 * Puts a text on the clipboard. Where the page may not use the clipboard API (not a secure context, a frame without
 * permission), the old way through a selection is tried, beside `near` so that dialogs do not pull the focus away.
 *
 * @returns Whether it worked.
 */
export async function copyText(text: string, near: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text, near);
  }
}

function copyBySelection(text: string, near: HTMLElement): boolean {
  const page = near.ownerDocument;
  const focused = page.activeElement;
  const area = page.createElement('textarea');
  area.className = 'zg-sr';
  area.readOnly = true;
  area.value = text;
  near.parentElement?.append(area);
  area.select();
  try {
    return page.execCommand('copy');
  } catch {
    return false;
  } finally {
    area.remove();
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  }
}
