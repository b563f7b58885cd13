import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../protocol-error.ts';
import { parseJson } from './parse-json.ts';
import { PartialJson } from './partial-json.ts';

/** The text in pieces, whose sizes repeat. */
function pieces(text: string, sizes: readonly number[]): string[] {
  const list: string[] = [];
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    list.push(text.slice(at, at + size));
    at += size;
  }
  return list;
}

function read(text: string, sizes: readonly number[] = [1], onStep: (value: unknown) => void = () => {}) {
  const parser = new PartialJson();
  for (const piece of pieces(text, sizes)) {
    parser.push(piece);
    onStep(parser.value);
  }
  parser.end();
  return parser.value;
}

function isBeginningOf(part: unknown, whole: unknown): boolean {
  if (typeof part === 'string' && typeof whole === 'string') return whole.startsWith(part);
  if (typeof part !== 'object' || part === null || typeof whole !== 'object' || whole === null) {
    return Object.is(part, whole);
  }
  if (Array.isArray(part) !== Array.isArray(whole)) return false;
  return Object.entries(part).every(
    ([name, value]) =>
      Object.hasOwn(whole, name) && isBeginningOf(value, (whole as Record<string, unknown>)[name]),
  );
}

const outcome = (run: () => unknown): unknown => {
  try {
    return { value: run() };
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError);
    return 'refused';
  }
};

describe('PartialJson', () => {
  it('shows strings as they grow, numbers and words when they are whole', () => {
    const parser = new PartialJson();
    const fed = (piece: string) => {
      parser.push(piece);
      return structuredClone(parser.value);
    };
    expect(parser.value).toBeUndefined();
    expect(fed('{"na')).toEqual({});
    expect(fed('me":')).toEqual({});
    expect(fed('"Ad')).toEqual({ name: 'Ad' });
    expect(fed('a","age":3')).toEqual({ name: 'Ada' });
    expect(fed('6')).toEqual({ name: 'Ada' });
    expect(fed(',"tags":["x","')).toEqual({ name: 'Ada', age: 36, tags: ['x', ''] });
    expect(fed('y"],"ok":tr')).toEqual({ name: 'Ada', age: 36, tags: ['x', 'y'] });
    expect(fed('ue')).toEqual({ name: 'Ada', age: 36, tags: ['x', 'y'], ok: true });
    expect(parser.complete).toBe(false);
    expect(fed('}')).toEqual({ name: 'Ada', age: 36, tags: ['x', 'y'], ok: true });
    expect(parser.complete).toBe(true);
  });

  it('says of each piece whether it showed anything new', () => {
    const parser = new PartialJson();
    const told = ['{', '"a"', ':', '1', '2', ',', '"b":"', 'x', '\\', 'n', '"', '}', ' '].map((piece) => [
      piece,
      parser.push(piece),
    ]);
    expect(told.filter(([, changed]) => changed).map(([piece]) => piece)).toEqual([
      '{',
      ',',
      '"b":"',
      'x',
      'n',
    ]);
  });

  it('gives what parseJson gives, and only beginnings of it on the way, however the text is cut', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme' }),
        fc.constantFrom(undefined, 1, '\t'),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }),
        (value, indent, sizes) => {
          const text = JSON.stringify(value, undefined, indent);
          const whole = parseJson(text);
          const shown = read(text, sizes, (part) => {
            if (part !== undefined && !isBeginningOf(part, whole)) throw new Error('not a beginning');
          });
          expect(shown).toEqual(whole);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('takes and refuses what JSON.parse takes and refuses', () => {
    const soup = fc
      .array(fc.constantFrom(...'{}[]:,"\\u0041ntrfe-+.1eE \n\u0000ü', 'true', 'null', '"a"', '12'), {
        maxLength: 14,
      })
      .map((units) => units.join(''));
    fc.assert(
      fc.property(soup, (text) => {
        expect(outcome(() => read(text))).toEqual(outcome(() => parseJson(text)));
      }),
      { numRuns: 5_000 },
    );
  });

  it('drops __proto__ as parseJson does, also while it is being written', () => {
    const name = '__p\\u0072oto__';
    const seen = read(`{"a":{"${name}":{"admin":true},"__proto__":"x"},"b":1}`, [1], () => {
      expect(({} as { admin?: boolean }).admin).toBeUndefined();
    }) as { a: object; b: number };
    expect(Object.getOwnPropertyNames(seen.a)).toEqual([]);
    expect(Object.getPrototypeOf(seen.a)).toBe(Object.prototype);
    expect(seen.b).toBe(1);
  });

  it('holds half a surrogate pair back', () => {
    read('["\\ud83d\\ude00 fine"]', [1], (value) => {
      expect((value as string[] | undefined)?.[0] ?? '').not.toMatch(/\p{Surrogate}/u);
    });
    expect(read('["\\ud83d\\ude00","\\ud83d!"]')).toEqual(['😀', '\ud83d!']);
  });

  it('nests to its limit and not deeper', () => {
    expect(() => read('['.repeat(64) + ']'.repeat(64))).not.toThrow();
    expect(() => read('['.repeat(65))).toThrow(/deeper than 64/);
    expect(() => new PartialJson(2).push('[[[')).toThrow(/deeper than 2/);
  });

  it('tells the place of a fault, not the text', () => {
    const parser = new PartialJson();
    parser.push('{"prompt":"canary-4711",');
    expect(() => parser.push('canary')).toThrow(
      'Reading JSON as it comes, after about 24 characters: a character stands where none may.',
    );
  });

  it.each([
    ['an array of strings', (size: number) => Array.from({ length: size / 64 }, () => 'x'.repeat(61))],
    ['one string', (size: number) => 'x'.repeat(size)],
  ])('costs per character the same in a long text as in a short one: %s', (_, make) => {
    /** CPU time for 4 Mi characters in texts of this size; the counter ticks in milliseconds. */
    const cost = (characters: number): number => {
      const all = pieces(JSON.stringify({ value: make(characters) }), [4]);
      const { user } = process.threadCpuUsage();
      for (let read = 0; read < 4_194_304; read += characters) {
        const parser = new PartialJson();
        for (const piece of all) parser.push(piece);
      }
      return process.threadCpuUsage().user - user;
    };
    cost(65_536);
    // 1 is linear, 16 quadratic.
    expect(cost(1_048_576) / cost(65_536)).toBeLessThan(5);
  });
});

const suite = new URL('../../../../../shared/corpora/json-suite.json', import.meta.url);
describe.skipIf(!existsSync(suite))('JSONTestSuite', () => {
  const { parsing } = existsSync(suite)
    ? (JSON.parse(readFileSync(suite, 'utf8')) as {
        parsing: { id: string; expect: string; json_b64?: string; generate?: unknown }[];
      })
    : { parsing: [] };
  const cases = parsing.filter(({ json_b64 }) => json_b64 !== undefined);

  it('has its cases', () => expect(cases.length).toBeGreaterThan(300));

  it.each(cases.map(({ id, json_b64 }) => [id, json_b64] as const))('%s', (_, encoded = '') => {
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(encoded, 'base64'));
    expect(outcome(() => read(text, [1]))).toEqual(outcome(() => parseJson(text)));
    expect(outcome(() => read(text, [3]))).toEqual(outcome(() => parseJson(text)));
  });
});
