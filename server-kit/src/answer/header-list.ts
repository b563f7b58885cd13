/** What writers of header fields need: `Headers` fits, and so does the list that answers are made with. */
export interface HeaderWriter {
  set(name: string, value: string): void;
  append(name: string, value: string): void;
}

/** A text of somebody else's as the value of a field: what cannot stand in one is percent-encoded (RFC 3986 §2.1). */
export function asHeaderValue(text: string): string {
  if (/^[\x21-\x7e]*$/.test(text)) return text;
  return text.replace(/\p{Surrogate}/gu, '\ufffd').replace(/[^\x21-\x7e]/gu, encodeURIComponent);
}

/**
 * The header fields of an answer, names in lower case, in the order written. `Headers` sorts, copies and checks with every
 * call and costs more than the rest of a small answer; the values here are our own, and whoever sends them checks again.
 */
export class HeaderList implements HeaderWriter {
  /** Names and values in turn, as `writeHead` of Node takes them. */
  readonly pairs: string[] = [];

  get(name: string): string | undefined {
    const at = this.#find(name);
    return at === -1 ? undefined : this.pairs[at + 1];
  }

  has(name: string): boolean {
    return this.#find(name) !== -1;
  }

  set(name: string, value: string): void {
    const at = this.#find(name);
    if (at === -1) this.pairs.push(name, value);
    else this.pairs[at + 1] = value;
  }

  /** Adds to what stands there, in the one form that means the same (RFC 9110 §5.3). */
  append(name: string, value: string): void {
    const at = this.#find(name);
    if (at === -1) this.pairs.push(name, value);
    else this.pairs[at + 1] += `, ${value}`;
  }

  toHeaders(): Headers {
    const headers = new Headers();
    const { pairs } = this;
    for (let at = 0; at < pairs.length; at += 2) headers.set(pairs[at] as string, pairs[at + 1] as string);
    return headers;
  }

  #find(name: string): number {
    const { pairs } = this;
    for (let at = 0; at < pairs.length; at += 2) if (pairs[at] === name) return at;
    return -1;
  }
}
