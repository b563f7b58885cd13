/** Words that open a question and say nothing of what it is about. */
const openings: readonly RegExp[] = [
  /^(?:(?:hi|hello|hey|please|ok|so|and|now|well)\b[\s,!.]+)+/i,
  /^(?:can|could|would|will) you (?:please )?/i,
  /^(?:please )?(?:write|tell|give|make|show|list|describe|explain|compare|help)(?: (?:me|us))?(?: with)?(?: (?:an?|the|some|more) \p{L}+ (?:about|of|for|with)| more about| about| to me)?\b/iu,
  /^what(?:'s|’s| is| are| does| do)\b/i,
  /^how (?:do|does|can|should|would|to)(?: (?:i|we|you|one))?\b/i,
  /^(?:an?|some)\b/i,
];

/** Longest subject that still reads well in a heading. */
const LONGEST_SUBJECT = 48;

/**
 * What a question is about, in words that can stand in any Markdown: letters, digits, spaces and quiet punctuation alone.
 * Empty when there are none.
 */
export function subjectOf(question: string): string {
  const line = question.split('\n').find((candidate) => /[\p{L}\p{N}]/u.test(candidate)) ?? '';
  const plain = trimmed(line.slice(0, 1000).replace(/[^\p{L}\p{M}\p{N} ,.'’/+-]+/gu, ' '));
  const core = openings.reduce((rest, opening) => trimmed(rest.replace(opening, '')), plain);
  const subject = core.replace(/ to me$/i, '') || plain;
  const characters = [...subject];
  if (characters.length <= LONGEST_SUBJECT) return subject;
  const cut = characters.slice(0, LONGEST_SUBJECT).join('');
  return cut.includes(' ') ? trimmed(cut.slice(0, cut.lastIndexOf(' '))) : cut;
}

/** The same with a capital, for headings. */
export function capitalized(text: string): string {
  const [first = '', ...rest] = [...text];
  return first.toUpperCase() + rest.join('');
}

function trimmed(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/^[ ,.'’/+-]+|[ ,.'’/+-]+$/g, '');
}
