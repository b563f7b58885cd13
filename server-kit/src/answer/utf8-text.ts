import { isAscii } from 'node:buffer';

/**
 * Bytes that arrive in pieces as text, as a `TextDecoder` that is `fatal` gives it. Most tokens are ASCII, and those are
 * looked at and copied many bytes at a time instead of going through the decoder and its state.
 */
export class Utf8Text {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** Whether the decoder keeps nothing: no half character, and no beginning where a byte order mark is left out. */
  #isClear = false;

  /** @throws {TypeError} for bytes that are not UTF-8. */
  of(chunk: Uint8Array): string {
    if (this.#isClear && isAscii(chunk)) {
      const bytes =
        chunk instanceof Buffer ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      return bytes.toString('latin1');
    }
    const text = this.#decoder.decode(chunk, { stream: true });
    const last = chunk.at(-1);
    // After a byte of ASCII no character can be half there: the decoder would have thrown.
    this.#isClear = last === undefined ? this.#isClear : last < 0x80;
    return text;
  }
}
