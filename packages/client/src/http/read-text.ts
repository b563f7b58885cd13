import type { ByteSource } from './transport.ts';

/** Reads a body as UTF-8, at most `maxBytes` of it: the rest is left unread. */
export async function readText(body: ByteSource, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let left = maxBytes;
  for (;;) {
    const { value: chunk } = await body.read();
    if (chunk === undefined) break;
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk.subarray(0, left), { stream: true });
    left -= chunk.length;
    if (left <= 0) break;
  }
  return text + decoder.decode();
}
