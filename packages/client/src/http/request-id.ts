/** The id of a request that a body names, if it has the form that the header must have: it is shown, and stands in logs. */
export function requestIdOf(given: unknown): string | undefined {
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : undefined;
}
