/** Content type of every JSON body of a foreign surface. */
export const JSON_TYPE = 'application/json; charset=utf-8';

/** One server-sent event (WHATWG HTML §9.2), with a name where the form has names. */
export function sse(data: unknown, name?: string): string {
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** What the line says while somebody waits, as a comment: readers of foreign forms skip it, people see it. */
export function waitingComment(event: { type: string; [member: string]: unknown }): string {
  if (event.type === 'queued') {
    const eta = event['etaMs'] === null ? '' : ` eta=${String(event['etaMs'])}`;
    return `: queued position=${String(event['position'])} of=${String(event['of'])}${eta}\n\n`;
  }
  return `: loading elapsed=${String(event['elapsedMs'])}\n\n`;
}
