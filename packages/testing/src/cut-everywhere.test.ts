import { expect, it } from 'vitest';
import { cutEverywhere } from './cut-everywhere.ts';

it('cutEverywhere() gives every split in two, the empty ones included', () => {
  const cuts = [...cutEverywhere(new Uint8Array([1, 2]))].map(([a, b]) => [[...a], [...b]]);
  expect(cuts).toEqual([
    [[], [1, 2]],
    [[1], [2]],
    [[1, 2], []],
  ]);
});
