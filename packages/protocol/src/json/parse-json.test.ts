import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../protocol-error.ts';
import { parseJson } from './parse-json.ts';

const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('parseJson()', () => {
  it('parses what JSON.parse parses', () => {
    expect(parseJson('{"a":[1,"ü",null]}')).toEqual({ a: [1, 'ü', null] });
  });

  it('drops __proto__ at every depth, however it is spelled', () => {
    for (const name of [
      '__proto__',
      '\\u005f_proto__',
      '__p\\u0072oto__',
      '\\u005F\\u005Fproto\\u005F\\u005F',
    ]) {
      const value = parseJson(`{"a":{"${name}":{"admin":true}},"b":1}`) as { a: object; b: number };
      expect(Object.getOwnPropertyNames(value.a)).toEqual([]);
      expect(value.b).toBe(1);
      expect(({} as { admin?: boolean }).admin).toBeUndefined();
    }
  });

  it('accepts nesting up to the limit and refuses one level more', () => {
    expect(() => parseJson(nested(64))).not.toThrow();
    expect(() => parseJson(nested(65))).toThrow(/deeper than 64/);
    expect(() => parseJson(nested(100_000))).toThrow(ProtocolError);
  });

  it('does not count brackets inside strings', () => {
    expect(parseJson(JSON.stringify({ text: `\\"${'['.repeat(200)}` }))).toEqual({
      text: `\\"${'['.repeat(200)}`,
    });
  });

  it('never repeats the text in its message', () => {
    const secret = '{"prompt":"canary-4711"';
    expect(() => parseJson(secret)).toThrow(/^Reading JSON: 23 characters are not a JSON value\.$/);
  });
});
