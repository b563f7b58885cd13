import type { Clock } from '../clock.ts';

const timeoutMs = 2000;
const maxBytes = 64 * 1024;

/**
 * Fetches a key set: no redirect is followed, 2 s and 64 KiB at most.
 *
 * @throws {Error} when it cannot be had in full.
 */
export async function fetchKeySet(
  url: URL,
  clock: Clock,
): Promise<{ text: string; date: number | undefined }> {
  const giveUp = new AbortController();
  const cancel = clock.setTimer(() => giveUp.abort(), timeoutMs);
  try {
    return await read(url, giveUp.signal);
  } finally {
    cancel();
  }
}

async function read(url: URL, signal: AbortSignal): Promise<{ text: string; date: number | undefined }> {
  const response = await fetch(url, {
    redirect: 'error',
    headers: { accept: 'application/jwk-set+json, application/json' },
    signal,
  });
  if (response.status !== 200 || !response.body) {
    await response.body?.cancel();
    throw new Error(`The key set answered ${response.status}.`);
  }
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (bytes > maxBytes) throw new Error('The key set is too large.');
    text += decoder.decode(chunk, { stream: true });
  }
  return { text: text + decoder.decode(), date: dateOf(response.headers) };
}

/** When it was answered by its sender's clock, in ms since 1970. A cache says how long it had it (RFC 9111 §5.1). */
function dateOf(headers: Headers): number | undefined {
  const date = Date.parse(headers.get('date') ?? '') + 1000 * Number(headers.get('age') ?? 0);
  return Number.isFinite(date) ? date : undefined;
}
