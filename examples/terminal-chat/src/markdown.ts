import type { Paint } from './paint.ts';

/**
 * Paints Markdown while it comes, a piece at a time: headings, bold, code, lists and fences. Nothing that was written is
 * ever taken back, so the text can be copied as it stands; only the marks that turned into a style are gone.
 */
export class MarkdownPainter {
  readonly #paint: Paint;
  readonly #write: (text: string) => void;
  /** Marks at the end of a piece that may go on in the next one. */
  #held = '';
  #lineStart = true;
  #fence = false;
  #heading = false;
  #bold = false;
  #code = false;

  constructor(paint: Paint, write: (text: string) => void) {
    this.#paint = paint;
    this.#write = write;
  }

  push(piece: string): void {
    // Plain text stays Markdown: it goes on to another program.
    if (!this.#paint.on) {
      this.#write(piece);
      return;
    }
    const text = this.#held + piece;
    this.#held = '';
    let at = 0;
    while (at < text.length) {
      const used = this.#step(text, at);
      if (used === 0) {
        this.#held = text.slice(at);
        return;
      }
      at += used;
    }
  }

  /** The answer is over: what was held is text, and no style stays open. */
  end(): void {
    const rest = this.#held;
    this.#held = '';
    if (rest !== '') this.#text(rest);
    this.#bold = this.#code = this.#heading = this.#fence = false;
    this.#lineStart = true;
  }

  /** @returns How many characters were used; 0 when more must come first. */
  #step(text: string, at: number): number {
    const rest = text.slice(at, at + 8);
    if (rest[0] === '\n') return this.#newline();
    if (this.#lineStart) {
      const mark = /^(?:`{3,}|#{1,6} |[-*] |>)/.exec(rest)?.[0];
      if (mark === undefined && /^(?:`{1,2}|#{1,6}|[-*])$/.test(rest)) return 0;
      if (mark !== undefined) return this.#block(mark, text, at);
      if (rest[0] !== ' ') this.#lineStart = false;
    }
    if (this.#fence) return this.#run(text, at, /[\n]/g);
    if (rest[0] === '`') {
      this.#code = !this.#code;
      return 1;
    }
    if (!this.#code && rest.startsWith('*')) {
      if (rest === '*') return 0;
      if (rest.startsWith('**')) {
        this.#bold = !this.#bold;
        return 2;
      }
    }
    return this.#run(text, at, /[\n`*]/g);
  }

  #newline(): number {
    this.#write('\n');
    this.#lineStart = true;
    // A mark that was not closed on its line was none.
    this.#heading = this.#code = this.#bold = false;
    return 1;
  }

  #block(mark: string, text: string, at: number): number {
    if (mark.startsWith('`')) {
      const end = text.indexOf('\n', at);
      if (end === -1) return 0;
      this.#fence = !this.#fence;
      this.#write(this.#paint.dim(text.slice(at, end)));
      this.#lineStart = false;
      return end - at;
    }
    this.#lineStart = false;
    if (this.#fence) return this.#run(text, at, /\n/g);
    if (mark.startsWith('#')) {
      this.#heading = true;
      return mark.length;
    }
    this.#write(mark === '>' ? this.#paint.dim('│') : `${this.#paint.accent('•')} `);
    return mark.length;
  }

  /** Text up to the next character that may mean something. */
  #run(text: string, at: number, until: RegExp): number {
    until.lastIndex = at + 1;
    const end = until.exec(text)?.index ?? text.length;
    this.#text(text.slice(at, end));
    return end - at;
  }

  #text(text: string): void {
    const { code, bold } = this.#paint;
    if (this.#code || this.#fence) this.#write(code(text));
    else this.#write(this.#bold || this.#heading ? bold(text) : text);
  }
}
