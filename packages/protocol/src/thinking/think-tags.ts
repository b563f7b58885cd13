/** Takes a piece of the answer or of the thinking before it. */
export type OnPart = (kind: 'text' | 'thinking', text: string) => void;

const tags = [
  ['<think>', '</think>'],
  ['<thinking>', '</thinking>'],
] as const;

/**
 * Takes the thinking out of a text that arrives in pieces, where the engine leaves it between `<think>` and `</think>`
 * (Ollama before v0.9, llama.cpp with `--reasoning-format none`, vLLM without a reasoning parser).
 *
 * Only a tag that begins the answer counts, white space apart: further on it is something the model talks about. White
 * space right after either tag is dropped, as Ollama's own parser does. A tag may be cut anywhere between two pieces.
 */
export class ThinkTags {
  #place: 'start' | 'inside' | 'closed' | 'outside' = 'start';
  #held = '';
  #close = '';
  #opened = false;

  /** Whether everything from here on is text: pieces need not be pushed any more. */
  get outside(): boolean {
    return this.#place === 'outside';
  }

  push(piece: string, onPart: OnPart): void {
    this.#held += piece;
    if (this.#place === 'start') this.#atStart();
    if (this.#place === 'inside') this.#inside(onPart);
    if (this.#place === 'closed') {
      this.#held = this.#held.trimStart();
      if (this.#held !== '') this.#place = 'outside';
    }
    if (this.#place === 'outside') this.end(onPart);
  }

  /** Hands out what waited for the rest of a tag. What follows is text. */
  end(onPart: OnPart): void {
    const held = this.#held;
    this.#held = '';
    if (held !== '') onPart(this.#place === 'inside' ? 'thinking' : 'text', held);
    this.#place = 'outside';
  }

  #atStart(): void {
    const start = this.#held.trimStart();
    for (const [open, close] of tags) {
      if (start.startsWith(open)) {
        this.#place = 'inside';
        this.#close = close;
        this.#held = start.slice(open.length);
        return;
      }
    }
    if (!tags.some(([open]) => open.startsWith(start))) this.#place = 'outside';
  }

  #inside(onPart: OnPart): void {
    if (!this.#opened) {
      this.#held = this.#held.trimStart();
      if (this.#held === '') return;
      this.#opened = true;
    }
    const at = this.#held.indexOf(this.#close);
    const until = at === -1 ? this.#held.length - lengthOfBegun(this.#held, this.#close) : at;
    if (until > 0) onPart('thinking', this.#held.slice(0, until));
    this.#held = this.#held.slice(at === -1 ? until : at + this.#close.length);
    if (at !== -1) this.#place = 'closed';
  }
}

/** How many characters at the end of the text may be the beginning of the tag. */
function lengthOfBegun(text: string, tag: string): number {
  for (let length = Math.min(tag.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(tag.slice(0, length))) return length;
  }
  return 0;
}
