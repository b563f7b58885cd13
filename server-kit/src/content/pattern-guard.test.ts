import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KitFailure } from '../failure.ts';
import { detectors, type RedactKind, redactKinds } from './detectors.ts';
import { PatternGuard, type Rule } from './pattern-guard.ts';
import { phraseDetector } from './phrase.ts';

const all: Rule[] = redactKinds.map((kind) => ({ detector: detectors[kind], label: `[${kind}]` }));
const only = (kind: RedactKind): Rule[] => [{ detector: detectors[kind], label: `[${kind}]` }];

function through(rules: readonly Rule[], pieces: readonly string[]): string {
  const guard = new PatternGuard(rules);
  return pieces.map((piece) => guard.push(piece)).join('') + guard.flush();
}

// Numbers of test cards, examples of ISO 13616's registry, keys made up in the makers' forms.
const samples: [RedactKind, string, string][] = [
  ['email', 'Write to ada.lovelace+llm@mail.example.co.uk, please.', 'Write to [email], please.'],
  ['email', 'a@b.co', '[email]'],
  ['email', '(straße@exämple.de)', '([email])'],
  ['email', 'no @ mail, no a@b either', 'no @ mail, no a@b either'],
  ['card', 'pay with 4111 1111 1111 1111 now', 'pay with [card] now'],
  ['card', '4111111111111111', '[card]'],
  ['card', '5500-0000-0000-0004.', '[card].'],
  ['card', '378282246310005 and 6011 1111 1111 1117', '[card] and [card]'],
  ['card', 'order 12 4111 1111 1111 1111 35', 'order 12 [card] 35'],
  ['card', 'not one: 4111 1111 1111 1112', 'not one: 4111 1111 1111 1112'],
  ['card', 'not one: 1234567890123456', 'not one: 1234567890123456'],
  ['iban', 'to DE89 3704 0044 0532 0130 00 please', 'to [iban] please'],
  ['iban', 'GB82WEST12345698765432', '[iban]'],
  ['iban', 'no93 8601 1117 947, my account', '[iban], my account'],
  ['iban', 'not one: DE89 3704 0044 0532 0130 01', 'not one: DE89 3704 0044 0532 0130 01'],
  ['phone', 'call +49 (0)30 123456-78 today', 'call [phone] today'],
  ['phone', 'or 555-867-5309.', 'or [phone].'],
  ['phone', '+14155552671', '[phone]'],
  ['phone', '030 / 12345678', '[phone]'],
  ['phone', 'in 2024, 1,000 of 12.5 at 10:30', 'in 2024, 1,000 of 12.5 at 10:30'],
  ['key', 'use sk-proj-abcDEF123456_7890xyz here', 'use [key] here'],
  ['key', 'ghp_16C7e42F292c6912E7710c838347Ae178B4a', '[key]'],
  ['key', 'AKIAIOSFODNN7EXAMPLE', '[key]'],
  ['key', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', '[key]'],
  ['key', 'zk_live_0a1B2c3D4e5F_6g7H8i9J_kLmN', '[key]'],
  ['key', 'a -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- b', 'a [key] b'],
  ['key', 'a -----BEGIN RSA PRIVATE KEY-----\nMIIE without an end', 'a [key]'],
  ['key', 'ask-me task_list --- sk- and eyJ', 'ask-me task_list --- sk- and eyJ'],
];

describe('the redactor', () => {
  test.each(samples)('%s: %s', (kind, text, expected) => {
    expect(through(only(kind), [text])).toBe(expected);
  });

  test.each(samples)('%s in %s, cut at every place and letter by letter', (kind, text, expected) => {
    for (const rules of [only(kind)]) {
      for (let at = 0; at <= text.length; at++) {
        expect(through(rules, [text.slice(0, at), text.slice(at)])).toBe(expected);
      }
      expect(through(rules, [...text])).toBe(expected);
    }
  });

  test('gives the same wherever text is cut, with every kind at once', () => {
    const piece = fc.oneof(
      fc.constantFrom(...samples.map(([, text]) => text)),
      fc.string({ maxLength: 12 }),
      fc.constantFrom(' ', '-', '.', '+', '4111 1111', 'sk-', '@', 'DE89', '\n', '(0', '12'),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 6 }),
        fc.array(fc.nat(200), { maxLength: 8 }),
        (parts, cuts) => {
          const text = parts.join('');
          const places = [...new Set(cuts.map((cut) => Math.min(cut, text.length)))].sort((a, b) => a - b);
          const pieces = [0, ...places].map((from, at) => text.slice(from, places[at] ?? text.length));
          expect(through(all, pieces)).toBe(through(all, [text]));
        },
      ),
      { numRuns: 400 },
    );
  });

  test('a key that begins within an address goes out nowhere, wherever the text is cut', () => {
    const text = '0@-.zk_live_0a1B2c3D4e5F_6g7H8i9J_kLmNno93 8601 1117 947, my account';
    const whole = through(all, [text]);
    expect(whole).not.toMatch(/live|6g7H8i9J|kLmN/);
    for (let at = 0; at <= text.length; at++) {
      expect(through(all, [text.slice(0, at), text.slice(at)])).toBe(whole);
    }
    expect(through(all, [...text])).toBe(whole);
  });

  test('holds back no more than the word being written', () => {
    const guard = new PatternGuard(all);
    let passed = '';
    const text =
      'The quick brown fox jumps over the lazy dog. It is 5 o’clock, and all is well in the house.';
    for (const [at, sign] of [...text].entries()) {
      passed += guard.push(sign);
      expect(at + 1 - passed.length).toBeLessThan(12);
    }
    expect(passed + guard.flush()).toBe(text);
  });

  test('a flush in between does not let the rest of a number pass', () => {
    const guard = new PatternGuard(only('card'));
    const first = guard.push('4111 1111 ') + guard.flush();
    const rest = guard.push('1111 1111 ok') + guard.flush();
    expect(first + rest).not.toContain('4111 1111 1111 1111');
    expect(rest).toBe('[card] ok');
  });

  test.each([
    ['digits', '1'],
    ['digits and spaces', '1 '],
    ['a key without end', 'sk-aaaa'],
    ['equals signs', '='],
    ['dashes', '-'],
    ['letters', 'ab'],
    ['at signs', 'a@'],
    ['dots', 'a.'],
    ['capitals', 'DE89'],
    ['the beginning of a PEM', '-----BEGIN '],
  ])('64 KiB of %s in pieces, and a megabyte at once, take linear time', (_name, unit) => {
    const guard = new PatternGuard(all);
    const piece = unit.repeat(Math.ceil(256 / unit.length));
    const began = performance.now();
    let passed = 0;
    for (let at = 0; at < 250; at++) passed += guard.push(piece).length;
    guard.flush();
    through(all, [unit.repeat(Math.ceil(2 ** 20 / unit.length))]);
    expect(performance.now() - began).toBeLessThan(6000);
    expect(passed).toBeGreaterThan(unit === 'sk-aaaa' || unit === '-----BEGIN ' ? 0 : 50_000);
  });
});

describe('blocked phrases', () => {
  const rules: Rule[] = [{ detector: phraseDetector('project Blue Falcon'), label: undefined }];
  const written = [
    'project Blue Falcon',
    'PROJECT blue falcon',
    'project\n  Blue\u00a0Falcon',
    'pro\u200bject Blue Fal\u00adcon',
    'project \u200bBlue Falcon',
  ];

  test.each(written)(
    '%j never passes, wherever it is cut, nor any more of it than could be something else',
    (phrase) => {
      const text = `It is called ${phrase}, I think.`;
      for (let at = 0; at <= text.length; at++) {
        const guard = new PatternGuard(rules);
        let passed = '';
        expect(() => {
          for (const piece of [text.slice(0, at), text.slice(at)]) passed += guard.push(piece);
          passed += guard.flush();
        }).toThrow(KitFailure);
        expect('It is called '.startsWith(passed)).toBe(true);
      }
    },
  );

  test('a beginning of it that goes another way passes whole', () => {
    const text = 'project Blue Falc, project Blue, a project';
    expect(through(rules, [...text])).toBe(text);
  });

  test('one letter, one word, and signs of patterns are phrases too', () => {
    for (const phrase of ['ß', 'a.b*c', '(x)', '$&']) {
      const one: Rule[] = [{ detector: phraseDetector(phrase), label: undefined }];
      expect(() => through(one, [...`so ${phrase} it is`])).toThrow('not allowed');
      expect(through(one, [...'so aXbc it is'])).toBe('so aXbc it is');
    }
  });

  test('what is no phrase is refused when the kit is made', () => {
    expect(() => phraseDetector('  ')).toThrow(TypeError);
    expect(() => phraseDetector('x'.repeat(257))).toThrow(TypeError);
  });
});
