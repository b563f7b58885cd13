/**
 * Reads records that differ from the last one in a single string only, without parsing them.
 *
 * A stream is thousands of records that repeat everything but one piece of text (and a time of no interest). What
 * `JSON.parse` would give for such a record is known: the same object with another text. The comparison is exact, and
 * any doubt (an escape, a quote, a control character, one character of difference elsewhere) leaves the record to the
 * parser.
 */
export class RecordShape {
  readonly #varying: string | undefined;
  #head = '';
  /** What follows the value that varies, up to the text. Empty when nothing varies. */
  #afterVarying = '';
  #tail = '';

  /** @param varying Key of one string member before the text whose value may differ and is of no interest. */
  constructor(varying?: string) {
    this.#varying = varying === undefined ? undefined : `"${varying}":"`;
  }

  /**
   * Remembers a record that was read the long way and said nothing but `text`.
   *
   * @param name Name of the member that `text` came from.
   */
  learn(record: string, text: string, name: string): void {
    this.#tail = '';
    const key = `"${name}"`;
    const at = record.indexOf(key);
    // A quote inside a string is escaped, so the key stands for itself; twice, or with escapes, and it is not clear which
    // member the text came from.
    if (at === -1 || record.indexOf(key, at + 1) !== -1 || record.includes('\\')) return;
    const from = at + key.length + 2;
    if (!isPlain(text, 0, text.length) || !record.startsWith(`:"${text}"`, from - 2)) return;
    const head = record.slice(0, from);
    const varies = this.#varying === undefined ? -1 : head.indexOf(this.#varying);
    if (varies === -1) {
      this.#head = head;
      this.#afterVarying = '';
    } else {
      const valueAt = varies + (this.#varying as string).length;
      const valueEnd = head.indexOf('"', valueAt);
      if (valueEnd === -1 || !isPlain(head, valueAt, valueEnd)) return;
      this.#head = head.slice(0, valueAt);
      this.#afterVarying = head.slice(valueEnd);
    }
    this.#tail = record.slice(from + text.length);
  }

  /** The text of a record of the same shape, or `undefined`: read it the long way then. */
  textOf(record: string): string | undefined {
    const head = this.#head;
    // `slice` and `===` compare memory at once; `startsWith` and `endsWith` go by character.
    if (this.#tail === '' || record.slice(0, head.length) !== head) return undefined;
    let from = head.length;
    const middle = this.#afterVarying;
    if (middle !== '') {
      const valueEnd = record.indexOf('"', from);
      if (valueEnd === -1 || !isPlain(record, from, valueEnd)) return undefined;
      from = valueEnd + middle.length;
      if (record.slice(valueEnd, from) !== middle) return undefined;
    }
    const end = record.length - this.#tail.length;
    return end >= from && record.slice(end) === this.#tail && isPlain(record, from, end)
      ? record.slice(from, end)
      : undefined;
  }
}

/** Whether the text stands between quotes as it is: no quote, no backslash, no control character. */
function isPlain(text: string, from: number, end: number): boolean {
  for (let at = from; at < end; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 || unit === 0x22 || unit === 0x5c) return false;
  }
  return true;
}
