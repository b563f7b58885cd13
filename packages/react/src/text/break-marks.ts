/** Thirty combining marks on one letter and more to come: no language needs more than a few. */
const manyMarks = /\p{M}{30}(?=\p{M})/gu;

/**
 * A text in which no letter carries more than 30 combining marks: after so many stands an empty letter for the next. Laying out
 * one letter with thousands of them freezes a browser.
 */
export function breakMarks(text: string): string {
  return text.replace(manyMarks, (marks) => `${marks}\u00a0`);
}
