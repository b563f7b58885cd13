import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decideCut } from './decide-cut.ts';

/** Turns of a question and an answer, 10 tokens each. */
const turns = (count: number) => ({
  sizes: Array.from({ length: count * 2 }, () => 10),
  mayBegin: Array.from({ length: count * 2 }, (_, index) => index % 2 === 0),
  fixed: 0,
  first: 0,
});

it.each([
  ['everything fits', { ...turns(4), budget: 80 }, { first: 0, total: 80, full: false }],
  ['one over: half of the budget is left', { ...turns(5), budget: 80 }, { first: 6, total: 40, full: false }],
  [
    'the cut stays while it fits',
    { ...turns(8), first: 6, budget: 100 },
    { first: 6, total: 100, full: false },
  ],
  ['then it moves far', { ...turns(9), first: 6, budget: 100 }, { first: 14, total: 40, full: false }],
  ['fixed parts count', { ...turns(4), fixed: 30, budget: 100 }, { first: 6, total: 50, full: false }],
  ['the last turn always goes', { ...turns(3), budget: 15 }, { first: 4, total: 20, full: true }],
  [
    'fixed parts alone too large',
    { ...turns(2), fixed: 90, budget: 50 },
    { first: 2, total: 110, full: true },
  ],
  ['nothing to send', { ...turns(0), budget: 10 }, { first: 0, total: 0, full: false }],
  [
    'a larger window takes the cut away',
    { ...turns(6), first: 6, budget: 400 },
    { first: 0, total: 120, full: false },
  ],
  [
    'a request never begins with an answer',
    { sizes: [10, 10, 90], mayBegin: [true, false, true], fixed: 0, first: 0, budget: 100 },
    { first: 2, total: 90, full: false },
  ],
])('decideCut() %s', (_, question, decision) => {
  expect(decideCut(question)).toEqual(decision);
});

it('decideCut() cuts seldom: a conversation of 1,000 turns moves its cut a few dozen times, not at each turn', () => {
  let first = 0;
  let moves = 0;
  for (let count = 1; count <= 1000; count++) {
    const decision = decideCut({ ...turns(count), first, budget: 1000 });
    if (decision.first !== first) moves++;
    first = decision.first;
    expect(decision.total).toBeLessThanOrEqual(1000);
  }
  expect(moves).toBeGreaterThan(10);
  expect(moves).toBeLessThan(45);
});

it('decideCut() never goes back, always keeps the last turn and fits the budget unless it says that it cannot', () => {
  const part = fc.record({ size: fc.nat(50), user: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(part, { minLength: 1 }),
      fc.nat(60),
      fc.nat(300),
      fc.nat(20),
      (parts, fixed, budget, at) => {
        const mayBegin = parts.map(({ user }) => user);
        const sizes = parts.map(({ size }) => size);
        const first = at < parts.length && mayBegin[at] ? at : 0;
        const decision = decideCut({ sizes, mayBegin, fixed, budget, first });
        const sum = fixed + sizes.slice(decision.first).reduce((one, other) => one + other, 0);
        expect(decision.total).toBe(sum);
        expect(decision.full || sum <= budget).toBe(true);
        expect(decision.first >= first || decision.first === 0).toBe(true);
        expect(decision.first).toBeLessThan(parts.length);
        if (decision.full) expect(mayBegin.slice(decision.first + 1)).not.toContain(true);
      },
    ),
    { numRuns: 2000 },
  );
});
