import { expect, it } from 'vitest';
import { StopFilter } from './stop-filter.ts';

const run = (stops: string[], pieces: string[]) => {
  const filter = new StopFilter(stops);
  let text = '';
  for (const piece of pieces) {
    const out = filter.push(piece);
    text += out.text;
    if (out.stopped) return { text, stopped: true };
  }
  return { text: text + filter.end(), stopped: false };
};

it('StopFilter finds a stop string however it is cut', () => {
  const text = 'one END two';
  for (let a = 0; a <= text.length; a++) {
    for (let b = a; b <= text.length; b++) {
      const pieces = [text.slice(0, a), text.slice(a, b), text.slice(b)];
      expect(run(['END'], pieces)).toEqual({ text: 'one ', stopped: true });
    }
  }
});

it('StopFilter gives back what only looked like a stop string', () => {
  expect(run(['END'], ['the EN', 'D'.toLowerCase(), ' EN'])).toEqual({ text: 'the ENd EN', stopped: false });
});

it('StopFilter takes the first of several and ignores empty ones', () => {
  expect(run(['', 'z', 'b'], ['abcz'])).toEqual({ text: 'a', stopped: true });
  expect(run([''], ['abc'])).toEqual({ text: 'abc', stopped: false });
});
