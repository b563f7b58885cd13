import { expect, it } from 'vitest';
import { readSlash } from './read-slash.ts';

it.each([
  ['/', { name: '', argument: null }],
  ['/Trans', { name: 'trans', argument: null }],
  ['/translate ', { name: 'translate', argument: '' }],
  ['/translate Good\nmorning', { name: 'translate', argument: 'Good\nmorning' }],
])('%j is a command', (text, expected) => {
  expect(readSlash(text)).toEqual(expected);
});

it.each(['', ' /clear', '/usr/bin', '/päth', '//', 'Say /clear', '/a.b'])('%j is a message', (text) => {
  expect(readSlash(text)).toBeNull();
});
