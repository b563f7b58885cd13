/**
 * A value as JSON in one form only: members in the order of their names, those that are `undefined` left out. Equal
 * texts mean equal values and the other way round, for anything that came out of JSON.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    const sorted: [string, unknown][] = Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(sorted);
  });
}
