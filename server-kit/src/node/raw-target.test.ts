import { describe, expect, test } from 'vitest';
import { checkedPrefix, requestUrl, targetAfterSegments, targetBelow } from './raw-target.ts';

describe('targetBelow()', () => {
  test.each([
    ['/api/llm/chat', '/chat'],
    ['/api/llm', '/'],
    ['/api/llm/', '/'],
    ['/api/llm?x=1', '/?x=1'],
    ['/api/llm//chat', '//chat'],
    ['/api/llm/../chat', '/../chat'],
    ['/api/llmchat', undefined],
    ['/api/llm%2Fchat', undefined],
    ['/api/ll%6d/chat', undefined],
    ['/API/llm/chat', undefined],
    ['//api/llm/chat', undefined],
    ['/x/../api/llm/chat', undefined],
    ['http://evil.test/api/llm/chat', undefined],
    ['*', undefined],
    ['', undefined],
  ])('of %j', (target, expected) => {
    expect(targetBelow(target, '/api/llm')).toBe(expected);
  });

  test.each(['/chat', '*', 'http://evil.test/chat', '//x'])('at the root leaves %j', (target) => {
    expect(targetBelow(target, '')).toBe(target);
  });
});

describe('targetAfterSegments()', () => {
  test.each([
    ['/api/llm/chat', 2, '/chat'],
    ['/api/llm/chat?a=/b', 2, '/chat?a=/b'],
    ['/tenant%2F1/llm/chat', 2, '/chat'],
    ['/api/llm//chat', 2, '//chat'],
    ['/api//llm/chat', 2, '/llm/chat'],
    ['/api/llm/', 2, '/'],
    ['/api/llm', 2, '/'],
    ['/api/llm?x=/chat', 2, '/'],
    ['/chat', 0, '/chat'],
    ['http://evil.test/api/llm/chat', 2, 'http://evil.test/api/llm/chat'],
  ])('of %j after %i', (target, segments, expected) => {
    expect(targetAfterSegments(target, segments)).toBe(expected);
  });
});

describe('checkedPrefix()', () => {
  test.each([
    ['', ''],
    ['/', ''],
    ['/api/llm', '/api/llm'],
    ['/api/llm/', '/api/llm'],
  ])('of %j', (prefix, expected) => {
    expect(checkedPrefix(prefix)).toBe(expected);
  });

  test.each(['api', '/a//b', '/a b', '/a%20b', '/a?b', '/é', '/a//'])('refuses %j', (prefix) => {
    expect(() => checkedPrefix(prefix)).toThrow(TypeError);
  });
});

describe('requestUrl()', () => {
  test.each([
    ['/chat', 'http://ziggie.invalid/chat'],
    ['/', 'http://ziggie.invalid/'],
    ['/streams/a-1_b~c', 'http://ziggie.invalid/streams/a-1_b~c'],
    ['/chat?x=%2e&y=/../', 'http://ziggie.invalid/chat?x=%2e&y=/../'],
    ['/...', 'http://ziggie.invalid/...'],
    ['/.well-known', 'http://ziggie.invalid/.well-known'],
  ])('keeps the plain %j as it is', (target, expected) => {
    const url = requestUrl(target, false);
    expect(url).toBe(expected);
    // Equal to what a parser makes of it: a Request and its URL never disagree.
    expect(new URL(url).href).toBe(expected);
  });

  test.each([
    '//evil.test',
    '/..',
    '/a/../b',
    '/.',
    '/./a',
    '/%2e',
    '/a\\b',
    '*',
    '',
    'http://evil.test/',
    '/a#b',
    '/@:',
  ])('has no path for %j', (target) => {
    expect(requestUrl(target, true)).toBe('https://ziggie.invalid/');
  });

  test('takes a long hostile target in its stride', () => {
    const started = performance.now();
    requestUrl(`/${'a/'.repeat(8_000)}%`, false);
    requestUrl(`/${'.'.repeat(16_000)}%`, false);
    requestUrl('/a'.repeat(8_000).concat('//'), false);
    expect(performance.now() - started).toBeLessThan(50);
  });
});
