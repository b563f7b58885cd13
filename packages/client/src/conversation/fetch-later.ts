type Later = typeof import('./later.ts');

let here: Later | undefined;

/**
 * The part of a conversation that comes after the start: at once when it is here. A failed fetch rejects, and the next
 * call tries again.
 */
export function later(): Later | Promise<Later> {
  return here ?? fetchLater();
}

/** So that it is here before anybody needs it. */
export function prefetchLater(): void {
  if (here === undefined) fetchLater().catch(() => {});
}

async function fetchLater(): Promise<Later> {
  here = await import('./later.ts');
  return here;
}
