/**
 * The address when a link may go there, else `undefined`: `http`, `https`, `mailto`, `tel`, and places in the same
 * document. Everything else that a model may write (`javascript:`, `data:`, relative paths, `//host`) is no link, nor is
 * an address without a host that could be.
 */
export function safeUrl(url: string): string | undefined {
  const allowed = hostOf(url) !== undefined || /^(?:mailto|tel):/i.test(url) || /^#[^\s]+$/.test(url);
  return allowed ? url : undefined;
}

/** The host of an `http(s)` address for people to read, or `undefined`. Never loads anything. */
export function hostOf(url: string): string | undefined {
  if (!/^https?:/i.test(url)) return undefined;
  try {
    return new URL(url).host;
  } catch {
    return undefined;
  }
}
