import { expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import type { LimitAsk, LimitStore } from '../limits/limit-store.ts';
import { MemoryLimitStore } from '../limits/memory-limit-store.ts';
import { FailedAttempts } from './failed-attempts.ts';

const address = '203.0.113.7';
type Result = 'guess' | 'good';
const isGuess = (result: Result) => result === 'guess';
const guess = async (): Promise<Result> => 'guess';

test('an address that is refused is not remembered once it has gone', async () => {
  const attempts = new FailedAttempts(new MemoryLimitStore(systemClock), 1);
  await attempts.guard(address, guess, isGuess);
  await expect(attempts.guard(address, guess, isGuess)).rejects.toMatchObject({
    code: 'rate_limited',
  });
  expect(attempts.size).toBe(0);
});

test('attempts that begin while another ends are counted together', async () => {
  const memory = new MemoryLimitStore(systemClock);
  let looking: Promise<void> | undefined;
  const store: LimitStore = {
    take: (ask: LimitAsk) => memory.take(ask),
    look: async (ask: LimitAsk) => {
      await looking;
      return memory.look(ask);
    },
    settle() {},
    renew() {},
  };
  const attempts = new FailedAttempts(store, 1);
  const begun: string[] = [];
  const attempt = (name: string, result: Promise<Result>) => {
    const check = () => {
      begun.push(name);
      return result;
    };
    return attempts.guard(address, check, isGuess);
  };
  let endFirst = (_: Result) => {};
  const a = attempt(
    'a',
    new Promise<Result>((resolve) => {
      endFirst = resolve;
    }),
  );
  await expect.poll(() => begun).toEqual(['a']);
  let look = () => {};
  looking = new Promise((resolve) => {
    look = resolve;
  });
  const b = attempt('b', guess());
  endFirst('good');
  await a;
  const c = attempt('c', guess());
  look();
  expect(await b).toBe('guess');
  await expect(c).rejects.toMatchObject({ code: 'rate_limited' });
  expect(begun).toEqual(['a', 'b']);
  expect(attempts.size).toBe(0);
});
