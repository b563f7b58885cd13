import { isAscii } from 'node:buffer';

/**
 * Bytes that arrive in pieces as text, as a `TextDecoder` that is `fatal` gives it. Most tokens are ASCII, and those are
 * looked at and copied many bytes at a time instead of going through the decoder and its state.
 */
export class Utf8Text {
  /** Made where it is needed: most small answers are ASCII to their end. */
  #decoder: TextDecoder | undefined;
  /** Whether anything came before the decoder: a byte order mark is left out at the very beginning alone. */
  #hasBegun = false;
  /** Whether no half character is kept. */
  #isClear = true;

  /** @throws {TypeError} for bytes that are not UTF-8. */
  of(chunk: Uint8Array): string {
    if (this.#isClear && isAscii(chunk)) {
      this.#hasBegun ||= chunk.byteLength > 0;
      const bytes =
        chunk instanceof Buffer ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      return bytes.toString('latin1');
    }
    this.#decoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: this.#hasBegun });
    const text = this.#decoder.decode(chunk, { stream: true });
    const last = chunk.at(-1);
    // After a byte of ASCII no character can be half there: the decoder would have thrown.
    this.#isClear = last === undefined ? this.#isClear : last < 0x80;
    return text;
  }
}
