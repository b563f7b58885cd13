import { expect, it } from 'vitest';
import { createFakeOllama, say, slow } from './index.ts';

it.each([
  [{ slotsPerModel: 0 }, /slotsPerModel is 0, and must be at least 1/],
  [{ maxLoadedModels: 0 }, /maxLoadedModels/],
  [{ maxQueue: -1 }, /maxQueue/],
  [{ loadMs: Number.NaN }, /loadMs is NaN/],
  [{ prefillMsPerToken: -1 }, /prefillMsPerToken/],
  [{ tokensPerSecond: 0 }, /tokensPerSecond is 0, not above 0/],
])('createFakeOllama() refuses %j at once', (options, message) => {
  expect(() => createFakeOllama(options)).toThrow(RangeError);
  expect(() => createFakeOllama(options)).toThrow(message);
});

it('createFakeOllama() refuses a model name that Ollama would refuse', () => {
  expect(() => createFakeOllama({ models: ['bad name'] })).toThrow(/"bad name" is not a model name/);
});

it('what could never be played is refused', () => {
  expect(() => createFakeOllama().script(say('x'), { times: 0 })).toThrow(RangeError);
  expect(() => slow(0)).toThrow(/Use stall\(\)/);
});
