/** Saves a text as a file of the reader's. Nothing goes over the network. */
export function downloadText(name: string, text: string, type: string, near: HTMLElement): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = near.ownerDocument.createElement('a');
  link.href = url;
  link.download = name;
  link.className = 'zg-sr';
  // In the page, since some browsers ignore a click on a link that is not.
  near.parentElement?.append(link);
  link.click();
  link.remove();
  // The download has its own hold on the data after the click was handled.
  setTimeout(() => URL.revokeObjectURL(url), 0);
}
