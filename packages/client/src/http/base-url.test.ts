import { expect, test } from 'vitest';
import { parseBaseUrl } from './base-url.ts';

test.each([
  ['http://127.0.0.1:11434', undefined, 'http://127.0.0.1:11434'],
  ['http://127.0.0.1:11434/', undefined, 'http://127.0.0.1:11434'],
  ['https://app.example/api/llm///', undefined, 'https://app.example/api/llm'],
  ['HTTPS://App.Example:443/Api', undefined, 'https://app.example/Api'],
  ['http://[::1]:11434', undefined, 'http://[::1]:11434'],
  ['/api/llm', 'https://app.example/chat/room?x=1#y', 'https://app.example/api/llm'],
  ['/', 'https://app.example/chat', 'https://app.example'],
])('parseBaseUrl(%j, %j) is %s', (baseUrl, page, parsed) => {
  expect(parseBaseUrl(baseUrl, page)).toBe(parsed);
});

test.each([
  ['/api/llm', undefined, 'no page'],
  ['', undefined, 'no page'],
  ['127.0.0.1:11434', undefined, 'absolute'],
  ['localhost:11434', undefined, 'localhost:'],
  ['ftp://host', undefined, 'ftp:'],
  ['javascript:alert(1)', 'https://app.example', 'javascript:'],
  ['http://user:hunter2@host', undefined, 'user name or password'],
  ['http://host/?a=1', undefined, 'query'],
  ['http://host/#a', undefined, 'fragment'],
])('parseBaseUrl(%j) is refused', (baseUrl, page, found) => {
  expect(() => parseBaseUrl(baseUrl, page)).toThrow(TypeError);
  expect(() => parseBaseUrl(baseUrl, page)).toThrow(found);
  expect(() => parseBaseUrl(baseUrl, page)).not.toThrow('hunter2');
});
