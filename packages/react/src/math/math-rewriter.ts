import type { Ending } from '../markdown/ending.ts';
import { findMath } from './find-math.ts';
import { FENCE_MARK, INLINE_MARK, ticksAround, WIDE_MARK } from './math-marks.ts';

/** A text whose formulas stand as code, and its end that is not decided yet. */
export interface RewrittenText {
  /** Grows at its end only, as the text does. */
  readonly decided: string;
  /** The rest as it was written; '' while it is most likely half a formula. */
  readonly shownRest: string;
}

/** Longest half of a formula that is kept back in a line of text: more would look as if nothing came. */
const MAX_HIDDEN = 240;

const linePrefix = /[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*/y;

/**
 * Puts formulas of a growing text into code spans and fences, so that nothing in them is read as markdown.
 *
 * What is decided stays decided, so the blocks after it need not be parsed again; the same text gives the same result in
 * whatever pieces it came. Code is left alone.
 */
export class MathRewriter {
  #text = '';
  #decided = '';
  #at = 0;
  #fence: { char: string; length: number } | null = null;
  #lineStart = true;
  #likely = false;

  /** What a text that was cut off shows of its end is not decided: it may be continued. */
  update(text: string, ending: Ending): RewrittenText {
    if (!text.startsWith(this.#text)) this.#reset();
    this.#text = text;
    this.#likely = false;
    while (this.#at < text.length && this.#step(ending === 'over'));
    const rest = text.slice(this.#at);
    const hidden = this.#likely && (rest.length <= MAX_HIDDEN || /^(?:\$\$|\\\[)/.test(rest));
    const whole = ending === 'cut' ? this.#wholeRest() : rest;
    return { decided: this.#decided, shownRest: hidden && whole === rest ? '' : whole };
  }

  /** The rest if nothing came after it: a formula that is complete stands as code, half a one as it was written. */
  #wholeRest(): string {
    const twin = new MathRewriter();
    twin.#text = this.#text;
    twin.#at = this.#at;
    twin.#fence = this.#fence;
    twin.#lineStart = this.#lineStart;
    while (twin.#at < twin.#text.length && twin.#step(true));
    return twin.#decided;
  }

  #reset(): void {
    this.#decided = '';
    this.#at = 0;
    this.#fence = null;
    this.#lineStart = true;
  }

  /** Decides about a piece. @returns Whether it could. */
  #step(isWhole: boolean): boolean {
    if (this.#lineStart) return this.#beginLine(isWhole);
    if (this.#fence !== null) {
      this.#copyLine();
      return true;
    }
    const char = this.#text[this.#at];
    switch (char) {
      case '\n':
        this.#copy(this.#at + 1);
        this.#lineStart = true;
        return true;
      case '`':
        return this.#codeSpan(isWhole);
      case '\\': {
        const next = this.#text[this.#at + 1];
        if (next === undefined && !isWhole) return this.#keepBack();
        if (next === '(' || next === '[') return this.#math(isWhole);
        this.#copy(next === '\n' ? this.#at + 1 : this.#at + 2);
        return true;
      }
      case '$':
        if (this.#text[this.#at + 1] === undefined && !isWhole) return this.#keepBack();
        return this.#math(isWhole);
      default:
        this.#copy(this.#nextOfInterest());
        return true;
    }
  }

  #beginLine(isWhole: boolean): boolean {
    linePrefix.lastIndex = this.#at;
    const prefixEnd = this.#at + (linePrefix.exec(this.#text)?.[0].length ?? 0);
    if (!isWhole && /^(?:[-+*]|\d{1,9}[.)]?)?$/.test(this.#text.slice(prefixEnd, prefixEnd + 11)))
      return false;
    const char = this.#text[prefixEnd] ?? '';
    let changed = false;
    if (char === '`' || char === '~') {
      const lineEnd = this.#text.indexOf('\n', prefixEnd);
      if (lineEnd < 0 && !isWhole) return false;
      changed = this.#fenceLine(this.#text.slice(prefixEnd, lineEnd < 0 ? undefined : lineEnd), char);
    }
    this.#lineStart = false;
    if (changed || this.#fence !== null) this.#copyLine();
    else this.#copy(prefixEnd);
    return true;
  }

  /** Opens or closes a fence. @returns Whether the line did. */
  #fenceLine(line: string, char: string): boolean {
    let length = 1;
    while (line[length] === char) length += 1;
    if (this.#fence === null) {
      if (length < 3 || (char === '`' && line.includes('`', length))) return false;
      this.#fence = { char, length };
      return true;
    }
    if (char !== this.#fence.char || length < this.#fence.length || line.slice(length).trim() !== '')
      return false;
    this.#fence = null;
    return true;
  }

  /** Up to the end of the line, or of what has come of it. */
  #copyLine(): void {
    const lineEnd = this.#text.indexOf('\n', this.#at);
    this.#copy(lineEnd < 0 ? this.#text.length : lineEnd + 1);
    this.#lineStart = lineEnd >= 0;
  }

  #codeSpan(isWhole: boolean): boolean {
    const start = this.#at;
    const ticks = runOf(this.#text, start);
    if (start + ticks === this.#text.length && !isWhole) return false;
    for (let at = start + ticks; at < this.#text.length; ) {
      if (this.#text[at] === '`') {
        const run = runOf(this.#text, at);
        if (run === ticks) {
          if (at + run === this.#text.length && !isWhole) return false;
          this.#copy(at + run);
          return true;
        }
        at += run;
      } else if (this.#text[at] === '\n' && /^[ \t]*\n/.test(this.#text.slice(at + 1, at + 80))) {
        // The paragraph is over: these ticks are ticks.
        this.#copy(start + ticks);
        return true;
      } else at += 1;
    }
    if (!isWhole) return false;
    this.#copy(start + ticks);
    return true;
  }

  #math(isWhole: boolean): boolean {
    const start = this.#at;
    const found = findMath(this.#text, start, isWhole);
    if (found.kind === 'wait') {
      this.#likely = found.likely;
      return false;
    }
    if (found.kind === 'text') {
      this.#copy(start + (this.#text[start] === '$' && this.#text[start + 1] !== '$' ? 1 : 2));
      return true;
    }
    const lineStart = this.#text.lastIndexOf('\n', start - 1) + 1;
    const before = this.#text.slice(lineStart, start);
    if (found.display && /^[ \t>]*$/.test(before)) {
      const alone = standsAlone(this.#text, found.end, isWhole);
      if (alone === 'wait') {
        this.#likely = true;
        return false;
      }
      if (alone) {
        this.#fenced(found.tex, before);
        this.#at = found.end;
        return true;
      }
    }
    // In a row of a table a bar would end the cell, in code too.
    const tex = before.trimStart().startsWith('|')
      ? found.tex.replace(/\\\|/g, '\\Vert ').replace(/\|/g, '\\vert ')
      : found.tex;
    const ticks = ticksAround(tex, 1);
    const closing = tex.endsWith('`') ? ` ${ticks}` : ticks;
    this.#decided += `${ticks}${found.display ? WIDE_MARK : INLINE_MARK}${tex}${closing}`;
    this.#at = found.end;
    return true;
  }

  /** The opening signs stand after `prefix`, which every line of the fence then has too. */
  #fenced(tex: string, prefix: string): void {
    const ticks = ticksAround(tex, 3);
    const lines = tex.split('\n').map((line) => prefix + line.replace(/^[ \t>]*/, ''));
    this.#decided += `${ticks}${FENCE_MARK}\n${lines.join('\n')}\n${prefix}${ticks}`;
  }

  /** A sign whose meaning the next character tells. */
  #keepBack(): false {
    this.#likely = true;
    return false;
  }

  #nextOfInterest(): number {
    let at = this.#at + 1;
    while (at < this.#text.length && !'\n`\\$'.includes(this.#text[at] ?? '')) at += 1;
    return at;
  }

  #copy(end: number): void {
    this.#decided += this.#text.slice(this.#at, end);
    this.#at = Math.min(end, this.#text.length);
  }
}

function runOf(text: string, start: number): number {
  let end = start;
  while (text[end] === '`') end += 1;
  return end - start;
}

function standsAlone(text: string, end: number, isWhole: boolean): boolean | 'wait' {
  let at = end;
  while (text[at] === ' ' || text[at] === '\t') at += 1;
  if (at >= text.length) return isWhole ? true : 'wait';
  return text[at] === '\n';
}
