import { KitFailure } from '../failure.ts';

/** Longest target that is looked at, in bytes. */
const maxTargetLength = 512;

/** The path of a raw target, up to the query. Not decoded: two spellings of one path are two paths. */
export function pathOf(target: string): string {
  const at = target.indexOf('?');
  return at === -1 ? target : target.slice(0, at);
}

/**
 * Checks a target whose path is in the route table. The path is clean already, being equal to a clean one; no route of
 * today takes a query, so nothing may follow.
 *
 * @throws {KitFailure} `bad_request`
 */
export function checkTarget(target: string): void {
  if (target.length > maxTargetLength)
    throw new KitFailure('bad_request', 'The address of the request is too long.');
  if (target.includes('?')) {
    throw new KitFailure('bad_request', 'This address takes no query. Send parameters in the JSON body.');
  }
}

/**
 * Refuses requests that two readers could read in two ways: two `Host` or two `Authorization` fields (RFC 9112 §3.2).
 *
 * @throws {KitFailure} `bad_request`
 */
export function checkFraming(rawHeaders: readonly string[]): void {
  let hosts = 0;
  let credentials = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
    else if (name.length === 13 && name.toLowerCase() === 'authorization') credentials++;
  }
  if (hosts > 1 || credentials > 1) {
    throw new KitFailure(
      'bad_request',
      'The request repeats a header that may stand once only: Host or Authorization.',
    );
  }
}
