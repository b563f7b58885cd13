import { KitFailure } from '../failure.ts';
import type { Route } from '../routes/route-table.ts';

/** Longest target that is looked at, in bytes. */
const maxTargetLength = 512;

/** The path of a raw target, up to the query. Not decoded: two spellings of one path are two paths. */
export function pathOf(target: string): string {
  const at = target.indexOf('?');
  return at === -1 ? target : target.slice(0, at);
}

/**
 * Checks a target whose path is in the route table. The path is clean already, being equal to a clean one; a query may
 * follow only where the route lists its members.
 *
 * @throws {KitFailure} `bad_request`
 */
export function checkTarget(target: string, route: Pick<Route, 'query'>): void {
  if (target.length > maxTargetLength)
    throw new KitFailure('bad_request', 'The address of the request is too long.');
  const at = target.indexOf('?');
  if (at !== -1 && !isListed(target.slice(at + 1), route.query)) {
    throw new KitFailure(
      'bad_request',
      route.query
        ? `This address takes no query but ${route.query.join(', ')}, in plain letters, digits and "._~-".`
        : 'This address takes no query. Send parameters in the JSON body.',
    );
  }
}

const queryMember = /^([a-zA-Z]{1,32})=([A-Za-z0-9._~-]{1,256})$/;

/** Whether a query has listed members only, each once and none that would have to be decoded. */
function isListed(query: string, listed: readonly string[] | undefined): boolean {
  const names = query.split('&').map((member) => queryMember.exec(member)?.[1] ?? '');
  return names.every((name) => listed?.includes(name) === true) && new Set(names).size === names.length;
}

/** The members of a checked query. */
export function queryOf(target: string): Readonly<Record<string, string | undefined>> {
  const at = target.indexOf('?');
  return at === -1 ? {} : Object.fromEntries(new URLSearchParams(target.slice(at + 1)));
}

/**
 * Refuses requests that two readers could read in two ways: two `Host` or two `Authorization` fields (RFC 9112 §3.2), and
 * a body in any other coding than `chunked`, which only some hops undo (§6.1).
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
    else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      if ((rawHeaders[at + 1] as string).trim().toLowerCase() !== 'chunked') {
        throw new KitFailure('bad_request', 'The body has a Transfer-Encoding other than chunked.');
      }
    }
  }
  if (hosts > 1 || credentials > 1) {
    throw new KitFailure(
      'bad_request',
      'The request repeats a header that may stand once only: Host or Authorization.',
    );
  }
}
