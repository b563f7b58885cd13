import { describe, expect, it, test } from 'vitest';
import { calculate } from '../src/calculate.ts';
import { MarkdownPainter } from '../src/markdown.ts';
import { createPaint } from '../src/paint.ts';

function painted(pieces: readonly string[]): string {
  let text = '';
  const painter = new MarkdownPainter(createPaint(true, {}), (piece) => {
    text += piece;
  });
  for (const piece of pieces) painter.push(piece);
  painter.end();
  return text;
}

// Runs of one style may be painted in several pieces: what matters is what is seen.
const styles = new RegExp(`${String.fromCharCode(27)}\\[(\\d+)m`, 'g');
const seen = (text: string) => text.replace(styles, '<$1>').replace(/<22><1>|<39><36>|<22><2>/g, '');

describe('MarkdownPainter', () => {
  const text =
    '# Title\n\nSome **bold** and `code **x**`, 2 * 3 * 4.\n- one\n* two\n> said\n```js\nlet a = **b**;\n# no title\n```\nEnd **open\nnext';

  it('paints what Markdown marks', () => {
    expect(seen(painted([text]))).toBe(
      '<1>Title<22>\n\nSome <1>bold<22> and <36>code **x**<39>, 2 * 3 * 4.\n<35>•<39> one\n<35>•<39> two\n<2>│<22> said\n<2>```js<22>\n<36>let a = **b**;<39>\n<36># no title<39>\n<2>```<22>\nEnd <1>open<22>\nnext',
    );
  });

  it('paints the same however the text is cut', () => {
    const whole = seen(painted([text]));
    for (let at = 1; at < text.length; at++) {
      expect(seen(painted([text.slice(0, at), text.slice(at)]))).toBe(whole);
    }
    expect(seen(painted([...text]))).toBe(whole);
  });

  it('gives back marks that were never closed', () => {
    expect(seen(painted(['a *']))).toBe('a *');
    expect(seen(painted(['``']))).toBe('``');
  });
});

test.each([
  ['1 + 2 * 3', 7],
  ['(1+2)*3', 9],
  ['2^3^2', 512],
  ['-2^2', -4],
  ['7 % 4 - -1', 4],
  ['1.5e3/3', 500],
])('calculate(%s) is %d', (expression, value) => expect(calculate(expression)).toBe(value));

test.each(['', '1 +', 'alert(1)', '2 ** 3', '(1', '1)', 'a', `${'('.repeat(500)}1`, '1,2'])(
  'calculate(%o) is refused',
  (expression) => expect(() => calculate(expression)).toThrow(SyntaxError),
);
