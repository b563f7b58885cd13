const escapes: Record<string, string> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/**
 * JSON as Go's encoder writes it: `<`, `>`, `&` and the two Unicode line separators are escaped, and members that are
 * `undefined` are left out, as `omitempty` does.
 */
export function goJson(value: unknown): string {
  // Outside strings JSON has none of these characters, so the whole text can be treated alike.
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => escapes[character] ?? character);
}
