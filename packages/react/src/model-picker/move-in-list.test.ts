import { describe, expect, it } from 'vitest';
import { moveInList } from './move-in-list.ts';

const names = ['gemma3', 'llama3.2', 'llava', 'qwen3'];
const nothing = () => ({ text: '', at: Number.NEGATIVE_INFINITY });

describe('moveInList()', () => {
  it.each([
    ['ArrowDown', 0, 1],
    ['ArrowDown', 3, 3],
    ['ArrowUp', 0, 0],
    ['Home', 2, 0],
    ['End', 0, 3],
    ['q', 0, 3],
    ['x', 2, 2],
    ['Shift', 0, null],
  ])('moves by %s from %i to %j', (key, from, to) => {
    expect(moveInList(key, from, names, nothing(), 0)).toBe(to);
  });

  it('takes letters that come quickly as one word', () => {
    const typed = nothing();
    expect(moveInList('l', 0, names, typed, 1_000)).toBe(1);
    expect(moveInList('l', 1, names, typed, 1_100)).toBe(1);
    expect(moveInList('a', 1, names, typed, 1_200)).toBe(1);
    expect(moveInList('v', 1, names, typed, 1_300)).toBe(2);
    expect(moveInList('g', 2, names, typed, 3_000)).toBe(0);
  });
});
