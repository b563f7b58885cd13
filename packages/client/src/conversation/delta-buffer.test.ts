import { expect, it } from 'vitest';
import { DeltaBuffer } from './delta-buffer.ts';

it('DeltaBuffer joins pieces of each kind, with the times of the first and the last', () => {
  const buffer = new DeltaBuffer();
  expect(buffer.take()).toBeNull();
  buffer.push('a', 'thinking', 'H', 1);
  buffer.push('a', 'thinking', 'm', 2);
  buffer.push('a', 'text', 'o', 3);
  buffer.push('a', 'text', 'k', 4);
  expect(buffer.take()).toEqual({
    type: 'answer-written',
    id: 'a',
    thinking: 'Hm',
    text: 'ok',
    tokens: 2,
    thinkingAt: 1,
    textAt: 3,
    at: 4,
  });
  expect(buffer.take()).toBeNull();
});

it('DeltaBuffer begins anew after each take', () => {
  const buffer = new DeltaBuffer();
  buffer.push('a', 'text', 'x', 1);
  buffer.take();
  buffer.push('b', 'thinking', 'y', 5);
  expect(buffer.take()).toMatchObject({ id: 'b', text: '', tokens: 0, textAt: null, thinkingAt: 5 });
  buffer.push('b', 'text', 'z', 6);
  expect(buffer.take()).toMatchObject({ thinking: '', text: 'z', tokens: 1, textAt: 6, thinkingAt: null });
});
