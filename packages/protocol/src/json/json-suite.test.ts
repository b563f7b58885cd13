import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../protocol-error.ts';
import { parseJson } from './parse-json.ts';

interface Suite {
  parsing: { id: string; expect: string; json_b64: string }[];
  transform: { id: string; json_b64: string }[];
  pollution: { id: string; json: string }[];
}

const path = new URL('../../../../../shared/corpora/json-suite.json', import.meta.url);
const suite: Suite | undefined = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;

/** As from the wire: bytes that are not UTF-8 never reach the parser. */
function parse(base64: string): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(base64, 'base64'));
  } catch {
    throw new ProtocolError('malformed_record', 'not UTF-8');
  }
  return parseJson(text);
}

describe.skipIf(!suite)('parseJson() over the JSON test suites', () => {
  it('has all cases', () => {
    expect([suite?.parsing.length, suite?.transform.length, suite?.pollution.length]).toEqual([318, 22, 24]);
  });

  it.each(suite?.parsing.map((one) => [one.id, one] as const) ?? [])('%s', (_, one) => {
    let error: unknown;
    try {
      parse(one.json_b64);
    } catch (thrown) {
      error = thrown;
    }
    if (one.expect === 'accept') expect(error).toBeUndefined();
    else if (one.expect === 'refuse') expect(error).toBeInstanceOf(ProtocolError);
    else expect(one.expect).toMatch(/^either/);
    if (error !== undefined) expect(error).toMatchObject({ code: 'malformed_record' });
  });

  it.each(suite?.transform.map((one) => [one.id, one] as const) ?? [])(
    '%s is read as JSON.parse reads it, or refused',
    (_, one) => {
      const text = Buffer.from(one.json_b64, 'base64').toString();
      let expected: unknown;
      try {
        expected = JSON.parse(text);
      } catch {
        expect(() => parseJson(text)).toThrow(ProtocolError);
        return;
      }
      expect(parseJson(text)).toEqual(expected);
    },
  );

  it.each(suite?.pollution.map((one) => [one.id, one] as const) ?? [])(
    '%s changes no prototype',
    (_, one) => {
      let value: unknown;
      try {
        value = parseJson(one.json);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
        return;
      }
      const walk = (part: unknown): void => {
        if (typeof part !== 'object' || part === null) return;
        expect(Object.hasOwn(part, '__proto__')).toBe(false);
        expect([Object.prototype, Array.prototype]).toContain(Object.getPrototypeOf(part));
        for (const inner of Object.values(part)) walk(inner);
      };
      walk(value);
      Object.assign({}, value);
      for (const name of ['x', 'isAdmin', 'bar'])
        expect(({} as Record<string, unknown>)[name]).toBeUndefined();
    },
  );
});
