import { expect, test } from 'vitest';
import { quotable } from './quotable.ts';

const canary = 'CANARY-0123456789abcdef-prompt';
const body = JSON.stringify({
  model: 'hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M',
  messages: [
    { role: 'system', content: 'Keep\nthis line to yourself.' },
    { role: 'user', content: `Hello ${canary}`, images: ['aGVsbG8gaGVsbG8gaGVsbG8='] },
  ],
});

test('quotable() keeps plain words, on one line', () => {
  expect(quotable('  server busy,\r\n please\u0000 try\u202e again. ', body)).toBe(
    'server busy, please try again.',
  );
});

test('quotable() keeps the name of the model', () => {
  const found = "model 'hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M' not found";
  expect(quotable(found, body)).toBe(found);
});

test.each([
  ['the whole prompt', `invalid request: ${canary}`],
  ['a part of it', `bad character near ${canary.slice(5, 24)}`],
  ['another message, with its white space changed', 'cannot parse: Keep this line to yourself.'],
])('quotable() gives nothing that repeats %s', (_, found) => {
  expect(quotable(found, body)).toBeUndefined();
});

test('quotable() gives nothing that repeats the token', () => {
  expect(quotable('bad token tok-1', undefined, 'tok-1')).toBeUndefined();
});

test('quotable() cuts long words', () => {
  expect(quotable('x'.repeat(5_000))).toHaveLength(301);
});

test('quotable() is nothing for nothing', () => {
  expect(quotable(undefined)).toBeUndefined();
  expect(quotable(' \n')).toBeUndefined();
});
