const MAX_LENGTH = 300;
/** So many characters in a row that are also in the prompt are no coincidence. */
const ECHO_LENGTH = 16;

/**
 * The server's words about a failure, fit for a message that may be logged: on one line, not too long, and `undefined`
 * when they repeat the token or a piece of the prompt. Proxies and parsers like to show what they were given.
 *
 * @param body The JSON body that was sent.
 */
export function quotable(text: string | undefined, body?: string, token?: string): string | undefined {
  // Control characters could forge lines in a log.
  const line = text?.replace(/[\p{C}\s]+/gu, ' ').trim();
  if (line === undefined || line === '' || (token !== undefined && line.includes(token))) return undefined;
  const prompt = body === undefined ? '' : promptOf(body);
  for (let at = 0; at + ECHO_LENGTH <= Math.min(line.length, MAX_LENGTH); at++) {
    if (prompt.includes(line.slice(at, at + ECHO_LENGTH))) return undefined;
  }
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}…` : line;
}

/** All words of people and models in a request. Read back from the body, since it is needed only after a failure. */
function promptOf(body: string): string {
  let words = '';
  JSON.parse(body, (key, value: unknown) => {
    if (typeof value === 'string' && /^(?:content|thinking|prompt|system|suffix)$/.test(key)) {
      words += `${value.replace(/\s+/g, ' ')}\n`;
    }
    return undefined;
  });
  return words;
}
