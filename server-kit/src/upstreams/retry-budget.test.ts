import { expect, test } from 'vitest';
import { RetryBudget } from './retry-budget.ts';

test('a budget has five tries at the start, earns one with ten requests, and saves up fifty at most', () => {
  const budget = new RetryBudget();
  expect(budget.left).toBe(5);
  for (let at = 0; at < 10; at++) budget.earn();
  expect(budget.left).toBe(6);
  for (let at = 0; at < 10_000; at++) budget.earn();
  expect(budget.left).toBe(50);
  for (let at = 0; at < 50; at++) expect(budget.spend()).toBe(true);
  expect(budget.spend()).toBe(false);
});
