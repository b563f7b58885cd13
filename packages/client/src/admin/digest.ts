/** What one array may hold on every platform. */
const MAX_DIGESTED_BYTES = 2 ** 31 - 1;

/** @throws {TypeError} when it is not a digest that Ollama takes: the form with a dash fails there. */
export function checkDigest(digest: string): string {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) {
    throw new TypeError('Reading a digest: give "sha256:" and 64 hex digits in lower case.');
  }
  return digest;
}

/** `sha256:` and the sum of all bytes. @throws {RangeError} when they are too many to be held in memory. */
export async function digestOf(data: Blob | Uint8Array<ArrayBuffer>): Promise<string> {
  const size = data instanceof Blob ? data.size : data.byteLength;
  if (size > MAX_DIGESTED_BYTES) {
    throw new RangeError(
      `Computing a digest: ${size} bytes do not fit into memory. Give the digest instead.`,
    );
  }
  const bytes = data instanceof Blob ? await data.arrayBuffer() : data;
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return `sha256:${Array.from(sum, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
