import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalName } from './model-name.ts';
import { isCoveredBy, isNamedBy, modelPattern } from './model-pattern.ts';

test.each([
  ['*', 'llama3', true],
  ['*', 'hf.co/a/b:c', true],
  ['llama3', 'llama3:latest', true],
  ['llama3', 'LLAMA3', true],
  ['llama3', 'llama3:8b', false],
  ['llama3*', 'llama3', true],
  ['llama3*', 'llama3:8b', true],
  ['llama3*', 'llama3.2:1b', true],
  ['LLama3*', 'llama3.2', true],
  ['llama3:*', 'llama3', true],
  ['llama3:*', 'llama3.2', false],
  ['llama3*', 'llama3-friends/model', false],
  ['llama3*', 'llama3/model', false],
  ['llama3*', 'llama3:x/y', false],
  ['llama3*', 'friends/llama3', false],
  ['team/*', 'team/model:8b', true],
  ['team/*', 'team/deeper/model', true],
  ['team/*', 'team', false],
  ['team/*', 'team-friends/model', false],
  ['team*', 'team/model', false],
  ['hf.co/*', 'hf.co/user/model', true],
  ['hf.co/us*', 'hf.co/user/model', false],
  ['meta-llama/Llama-3*', 'meta-llama/Llama-3.1-8B', true],
  ['', 'llama3', false],
])('%s names %s: %s', (pattern, model, named) => {
  expect(isNamedBy(pattern, model)).toBe(named);
});

const part = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,6}$/);
const model = fc
  .tuple(fc.array(part, { minLength: 1, maxLength: 3 }), fc.option(part))
  .map(([parts, tag]) => parts.join('/') + (tag === null ? '' : `:${tag}`));

test('a beginning without a slash at its end names no model with more slashes than it has', () => {
  fc.assert(
    fc.property(model, fc.nat(), (name, cut) => {
      const beginning = name.slice(0, cut % (name.length + 1));
      const rest = canonicalName(name).slice(beginning.length);
      const reaches = beginning === '' || beginning.endsWith('/') || !rest.includes('/');
      expect(isNamedBy(`${beginning}*`, name)).toBe(reaches);
    }),
  );
});

test('what names a model covers it, in any case of its letters; and only what it begins with does', () => {
  fc.assert(
    fc.property(model, model, fc.boolean(), (name, other, isBeginning) => {
      const pattern = isBeginning ? `${other}*` : other;
      if (isNamedBy(pattern, name)) expect(isCoveredBy(pattern, name)).toBe(true);
      expect(isNamedBy(pattern, name.toUpperCase())).toBe(isNamedBy(pattern.toUpperCase(), name));
      expect(isCoveredBy(pattern, name)).toBe(
        isBeginning ? canonicalName(name).startsWith(other) : canonicalName(name) === canonicalName(other),
      );
    }),
  );
});

test.each(['*-70b', 'a**', '*a*', ''])('%j is no entry of such a list', (pattern) => {
  expect(modelPattern.safeParse(pattern).success).toBe(false);
});
