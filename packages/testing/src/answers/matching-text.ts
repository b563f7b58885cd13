/**
 * A text that matches a regular expression of the usual kind: literals, classes, groups, alternatives, repetition.
 * `undefined` when it is of another kind, or when no text of at least `minLength` was found.
 */
export function matching(pattern: string, minLength: number): string | undefined {
  let expression: RegExp;
  try {
    expression = new RegExp(pattern, 'u');
  } catch {
    return undefined;
  }
  // More repetitions where they are free, until it is long enough.
  for (const extra of [0, 1, 2, minLength]) {
    const text = new Writer(pattern, extra).alternatives();
    if (text !== undefined && text.length >= minLength && expression.test(text)) return text;
  }
  return undefined;
}

const classes: Readonly<Record<string, string>> = {
  d: '1',
  w: 'a',
  s: ' ',
  D: 'a',
  W: '-',
  S: 'a',
  n: '\n',
  t: '\t',
};

/** Reads the expression and writes the shortest text it allows. */
class Writer {
  readonly #pattern: string;
  readonly #extra: number;
  #at = 0;

  constructor(pattern: string, extra: number) {
    this.#pattern = pattern;
    this.#extra = extra;
  }

  /** The first alternative; the others are read over. */
  alternatives(): string | undefined {
    const first = this.#sequence();
    while (this.#pattern[this.#at] === '|') {
      this.#at++;
      this.#sequence();
    }
    return first;
  }

  #sequence(): string | undefined {
    let text: string | undefined = '';
    while (this.#at < this.#pattern.length && !'|)'.includes(this.#pattern[this.#at] ?? '')) {
      const atom = this.#atom();
      const { least, most } = this.#repetition();
      const times = Math.min(most, least + (most > least ? this.#extra : 0));
      text = text === undefined || atom === undefined ? undefined : text + atom.repeat(times);
    }
    return text;
  }

  #atom(): string | undefined {
    const character = this.#pattern[this.#at++];
    if (character === '^' || character === '$') return '';
    if (character === '.') return 'a';
    if (character === '[') return this.#class();
    if (character === '\\') return this.#escape();
    if (character !== '(') return character;
    if (this.#pattern[this.#at] === '?') {
      const named = /^\?(?::|<[A-Za-z]\w*>)/.exec(this.#pattern.slice(this.#at));
      // Looking ahead or behind is more than this can do.
      if (!named) return undefined;
      this.#at += named[0].length;
    }
    const inside = this.alternatives();
    this.#at++;
    return inside;
  }

  #escape(): string | undefined {
    const character = this.#pattern[this.#at++] ?? '';
    if (Object.hasOwn(classes, character)) return classes[character];
    return /[A-Za-z0-9]/.test(character) ? undefined : character;
  }

  #class(): string | undefined {
    const end = /^(?:\\.|[^\]\\])*\]/.exec(this.#pattern.slice(this.#at))?.[0];
    if (end === undefined) return undefined;
    this.#at += end.length;
    const inside = new RegExp(`[${end}`, 'u');
    return [...'a1A-_. @/#'].find((character) => inside.test(character)) ?? end[0];
  }

  #repetition(): { least: number; most: number } {
    const found = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(this.#pattern.slice(this.#at));
    if (!found) return { least: 1, most: 1 };
    this.#at += found[0].length;
    const [, sign, least = '1', comma, most] = found;
    if (sign === '*') return { least: 0, most: Number.POSITIVE_INFINITY };
    if (sign === '+') return { least: 1, most: Number.POSITIVE_INFINITY };
    if (sign === '?') return { least: 0, most: 1 };
    return {
      least: Number(least),
      most: comma === '' ? Number(least) : most ? Number(most) : Number.POSITIVE_INFINITY,
    };
  }
}
