import {
  attention,
  autolink,
  codeText,
  labelEnd,
  labelStartImage,
  labelStartLink,
  setextUnderline,
} from 'micromark-core-commonmark';
import type { Construct, ConstructRecord, Extension, TokenizeContext } from 'micromark-util-types';
import { characterReference } from './character-references.ts';

/** Most marks of one kind in one paragraph, cell or heading that mean something. What comes after shows as it is written. */
const MAX_MARKS = 300;

/** Most of them that turn out to mean nothing: to know that takes reading to the end, or back to the beginning. */
const MAX_FAILURES = 30;

/** Most headings of one block that are underlined: each makes the parser copy what it has of the block. */
const MAX_UNDERLINES = 30;

/** The constructs below by the names under which the parser has them without limits. */
export const limitedNames: readonly string[] = [
  'attention',
  'autolink',
  'characterReference',
  'codeText',
  'labelEnd',
  'labelStartImage',
  'labelStartLink',
  'setextUnderline',
];

/**
 * What marks mean within a text, with a limit for each kind. The parser compares each emphasis, bracket and bare address with
 * those before it, so a text of nothing else would take it minutes; nobody writes hundreds of them into one paragraph.
 */
export function limitMarks(extensions: readonly Extension[]): Extension {
  const reference = limited(characterReference, 10 * MAX_MARKS);
  const emphasis = limited(attention, MAX_MARKS);
  const underline = limited(setextUnderline, MAX_UNDERLINES);
  const text: ConstructRecord = {
    33: limited(labelStartImage, MAX_MARKS),
    38: reference,
    42: emphasis,
    60: limited(autolink, MAX_MARKS),
    91: limited(labelStartLink, MAX_MARKS),
    93: limited(labelEnd, MAX_MARKS, MAX_FAILURES),
    95: emphasis,
    96: limited(codeText, MAX_MARKS, MAX_FAILURES),
  };
  for (const extension of extensions) {
    for (const [code, constructs] of Object.entries(extension.text ?? {})) {
      const own = [constructs ?? []].flat().filter(({ name }) => name !== 'emailAutolink');
      if (own.length > 0) text[Number(code)] = own.map((construct) => limited(construct, MAX_MARKS));
    }
  }
  // Of addresses and titles.
  const string: ConstructRecord = { 38: reference };
  return { text, string, flow: { 45: underline, 61: underline } };
}

/** Without its name, by which the parser would leave it out. */
function limited({ name: _, ...construct }: Construct, marks: number, failures = marks): Construct {
  // Each paragraph has a context of its own.
  const counts = new WeakMap<TokenizeContext, { marks: number; failures: number }>();
  return {
    ...construct,
    tokenize(effects, ok, nok) {
      const count = counts.get(this) ?? { marks: 0, failures: 0 };
      counts.set(this, count);
      count.marks += 1;
      if (count.marks > marks || count.failures >= failures) return nok;
      return construct.tokenize.call(this, effects, ok, (code) => {
        count.failures += 1;
        return nok(code);
      });
    },
  };
}
