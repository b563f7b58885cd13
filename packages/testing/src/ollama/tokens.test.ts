import { expect, it } from 'vitest';
import { tokenize } from './tokens.ts';

it.each([
  'Plain words, with a comma.',
  '# Heading\n\n- list\n  - nested\n\n```ts\nconst a = 1;\n```\n',
  '   leading and   inner   and trailing   ',
  'Umlaute äöü, kombiniert e\u0301, 東京は晴れ, مرحبا, 🦙👩‍👩‍👧‍👦!',
  'a\tb\r\nc\u00a0d\u2028e 1234567890',
  'Donaudampfschifffahrtsgesellschaft',
  '',
])('tokenize() loses nothing: %j', (text) => {
  const tokens = tokenize(text);
  expect(tokens.join('')).toBe(text);
  expect(tokens.every((token) => token !== '' && !/\p{Cs}/u.test(token))).toBe(true);
});

it('tokenize() cuts at words, with the space before them', () => {
  expect(tokenize('Hello, big world!')).toEqual(['Hello', ',', ' big', ' world', '!']);
});
