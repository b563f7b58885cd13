import { describe, expect, test } from 'vitest';
import { TokenCache } from './token-cache.ts';

const ada = { id: 'ada', roles: ['user'] };

describe('TokenCache', () => {
  test('knows a token until it expires and not a moment longer', () => {
    const cache = new TokenCache();
    cache.set('token', ada, 1000);
    expect(cache.get('token', 999)).toEqual(ada);
    expect(cache.get('token', 1000)).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  test('is keyed by the whole token', () => {
    const cache = new TokenCache();
    const token = `${'a'.repeat(300)}.${'b'.repeat(300)}.${'c'.repeat(43)}`;
    cache.set(token, ada, 1000);
    for (const at of [0, 299, 301, 600, 602, token.length - 1]) {
      const forged = `${token.slice(0, at)}x${token.slice(at + 1)}`;
      expect(cache.get(forged, 0)).toBeUndefined();
    }
    expect(cache.get(token.slice(0, -1), 0)).toBeUndefined();
    expect(cache.get(`${token}.`, 0)).toBeUndefined();
  });

  test('is bounded: the oldest goes', () => {
    const cache = new TokenCache(3);
    for (const token of ['a', 'b', 'c', 'd']) cache.set(token, ada, 1000);
    expect(cache.size).toBe(3);
    expect(cache.get('a', 0)).toBeUndefined();
    expect(cache.get('d', 0)).toEqual(ada);
  });
});
