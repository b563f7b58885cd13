import { expect, it } from 'vitest';
import { breakMarks } from './break-marks.ts';

it('lets no letter carry thousands of marks', () => {
  expect(breakMarks(`a${'\u0301'.repeat(70)}b`)).toBe(
    `a${'\u0301'.repeat(30)}\u00a0${'\u0301'.repeat(30)}\u00a0${'\u0301'.repeat(10)}b`,
  );
});

it('leaves what people write as it is', () => {
  const text = 'e\u0301, ệ, नमस्ते, שָׁלוֹם, ที่นี่, Ż̴̢a\u0300l\u0316g\u0301o';
  expect(breakMarks(text)).toBe(text);
});
