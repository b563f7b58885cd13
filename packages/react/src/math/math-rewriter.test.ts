import { describe, expect, it } from 'vitest';
import { randomDocument, randomPieces, seededRandom } from '../../test/random-markdown.ts';
import { FENCE_MARK, INLINE_MARK, WIDE_MARK } from './math-marks.ts';
import { MathRewriter } from './math-rewriter.ts';

function whole(text: string): string {
  return new MathRewriter().update(text, 'over').decided;
}

/** Marks as readable words. */
function shown(text: string): string {
  return whole(text)
    .replaceAll(INLINE_MARK, 'INLINE ')
    .replaceAll(WIDE_MARK, 'WIDE ')
    .replaceAll(FENCE_MARK, 'MATH');
}

describe('MathRewriter', () => {
  it.each([
    ['$x^2$', '`INLINE x^2`'],
    ['so $x$, then', 'so `INLINE x`, then'],
    ['\\(a + b\\)', '`INLINE a + b`'],
    ['see \\[a\\] here', 'see `WIDE a` here'],
    ['$$a$$', '```MATH\na\n```'],
    ['$$\na\n+ b\n$$\nText', '```MATH\na\n+ b\n```\nText'],
    ['  $$\n  a\n  $$', '  ```MATH\n  a\n  ```'],
    ['\\[\na_1\n\\]', '```MATH\na_1\n```'],
    ['- item $$x$$ on', '- item `WIDE x` on'],
    ['| $|x|$ | b |', '| `INLINE \\vert x\\vert ` | b |'],
    ['$a`b$', '``INLINE a`b``'],
  ])('takes %j for a formula', (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  it.each([
    '$5',
    '$5 and $10',
    'It costs $5, $6 or $7.',
    'between $20,000 and $30,000',
    '$5/mo or 50$ a year',
    'US$5 and CA$6',
    'a $ b $ c',
    '$ x$',
    '$x $',
    'only \\$x\\$ here',
    '`$x$` in code',
    '``a ` $x$ b``',
    '```sh\necho $HOME $PATH\n```',
    '~~~\n$x$\n~~~',
    '- list\n\n  ```\n  $a$\n  ```\n',
    '$x\n\ny$',
    '$$',
    '$$ $$',
    '\\(\\)',
  ])('leaves %j as it is', (text) => {
    expect(whole(text)).toBe(text);
  });

  it('goes on after a code block', () => {
    expect(shown('```\n$a$\n```\n$b$')).toBe('```\n$a$\n```\n`INLINE b`');
  });

  it('keeps half a formula back, but never half an amount of money', () => {
    const rewriter = new MathRewriter();
    expect(rewriter.update('so $x', 'growing')).toEqual({ decided: 'so ', shownRest: '' });
    expect(rewriter.update('so $x^2$ is', 'growing').decided).toBe(`so \`${INLINE_MARK}x^2\` is`);
    expect(new MathRewriter().update('costs $5 or', 'growing')).toEqual({
      decided: 'costs ',
      shownRest: '$5 or',
    });
    const long = `$a ${'word '.repeat(60)}`;
    expect(new MathRewriter().update(long, 'growing').shownRest).toBe(long);
  });

  it('gives the same for a text in any pieces, and only ever adds', () => {
    const formulas = [
      '$x_1$ ',
      '$$\na\n- b\n$$\n',
      '\\(y\\) ',
      '$5 ',
      'x$y ',
      '\\[z\\]\n',
      '$',
      '\\',
      '`$a$` ',
    ];
    for (let seed = 1; seed <= 1_500; seed += 1) {
      const random = seededRandom(seed);
      const text = Array.from({ length: 6 }, () => {
        const formula = formulas[Math.floor(random() * formulas.length)] ?? '';
        return random() < 0.4 ? randomDocument(random).slice(0, 80) + formula : formula;
      }).join(random() < 0.3 ? '\n' : '');
      const rewriter = new MathRewriter();
      let so = '';
      let before = '';
      for (const piece of randomPieces(text, random)) {
        so += piece;
        const { decided } = rewriter.update(so, 'growing');
        expect(decided.startsWith(before), `seed ${seed}`).toBe(true);
        before = decided;
      }
      expect(rewriter.update(text, 'over').decided, `seed ${seed}: ${JSON.stringify(text)}`).toBe(
        whole(text),
      );
    }
  });

  it('stays linear for signs that close nothing', () => {
    const text = 'a $x '.repeat(20_000);
    const rewriter = new MathRewriter();
    const started = performance.now();
    for (let at = 0; at < text.length; at += 500) rewriter.update(text.slice(0, at), 'growing');
    // Generous for a busy machine: quadratic work takes minutes here.
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
