import { describe, expect, test } from 'vitest';
import { Routing } from '../../src/routing/routing.ts';

const caller = (key: string, roles: string[] = []) => ({ key, roles });

describe('shares of an alias', () => {
  const routing = new Routing({
    aliases: {
      smart: [
        { model: 'a', weight: 90 },
        { model: 'b', weight: 10 },
      ],
      half: [{ model: 'a' }, { model: 'b' }],
    },
  });

  test('10,000 principals fall on the two within 3 σ, each on the same every time', () => {
    let seen = 0;
    for (let at = 0; at < 10_000; at++) {
      const [first] = routing.candidates('smart', caller(`user-${at}`));
      expect(routing.candidates('SMART:latest', caller(`user-${at}`))[0]).toEqual(first);
      if (first?.model === 'b') seen++;
    }
    // Binomial: n p = 1,000, σ = √(n p (1 − p)) = 30.
    expect(Math.abs(seen - 1000)).toBeLessThan(3 * 30);
  });

  test('who gets what in one alias says nothing of another', () => {
    let both = 0;
    for (let at = 0; at < 4000; at++) {
      const one = routing.candidates('smart', caller(`user-${at}`))[0]?.model === 'b';
      const other = routing.candidates('half', caller(`user-${at}`))[0]?.model === 'b';
      if (one && other) both++;
    }
    // Expected 200, σ = √(4000 × 0.05 × 0.95) ≈ 13.8.
    expect(Math.abs(both - 200)).toBeLessThan(3 * 13.8);
  });

  test('a larger share keeps everybody who had it', () => {
    const shares = (weight: number) =>
      new Routing({
        aliases: {
          x: [
            { model: 'b', weight },
            { model: 'a', weight: 100 - weight },
          ],
        },
      });
    for (let at = 0; at < 1000; at++) {
      const who = caller(`user-${at}`);
      if (shares(10).candidates('x', who)[0]?.model !== 'b') continue;
      expect(shares(20).candidates('x', who)[0]?.model).toBe('b');
    }
  });
});

test('a target for some roles is nobody else’s; an alias without one is no name', () => {
  const routing = new Routing({
    aliases: { big: [{ model: 'large', roles: ['staff'] }] },
    tasks: { code: 'coder' },
  });
  expect(routing.candidates('big', caller('ada', ['staff'])).map(({ model }) => model)).toEqual(['large']);
  expect(routing.candidates('big', caller('eve', ['user']))).toEqual([]);
  expect(routing.candidates('task:code', caller('eve')).map(({ model }) => model)).toEqual(['coder']);
  expect(routing.candidates('anything', caller('eve')).map(({ model }) => model)).toEqual(['anything']);
  expect(routing.aliasesOf('large', ['user'])).toEqual([]);
  expect(routing.aliasesOf('LARGE:latest', ['staff'])).toEqual(['big']);
});

test('an alias of an alias is refused at the start', () => {
  expect(() => new Routing({ aliases: { a: 'b', b: 'c' } })).toThrow('which is one itself');
});
