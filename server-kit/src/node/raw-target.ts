/**
 * The part of a raw request target below `prefix`, or `undefined` when it lies elsewhere. Bytes are compared as they
 * came: `/api/ll%6d` is not below `/api/llm`, because two readers of one address are how checks are passed by.
 *
 * What is left starts with `/` unless it is a form without a path of its own (`*`, `http://host/chat`).
 */
export function targetBelow(rawTarget: string, prefix: string): string | undefined {
  if (!rawTarget.startsWith(prefix)) return undefined;
  const rest = rawTarget.slice(prefix.length);
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return prefix === '' || rest.startsWith('/') ? rest : undefined;
}

/**
 * The part of a raw request target after as many segments as a route's mount has. For a router that has matched the
 * mount already, by its own rules (case, parameters, decoding), and only tells the decoded rest.
 */
export function targetAfterSegments(rawTarget: string, segments: number): string {
  if (!rawTarget.startsWith('/')) return rawTarget;
  const query = rawTarget.indexOf('?');
  const pathEnd = query === -1 ? rawTarget.length : query;
  let at = 0;
  for (let left = segments; left > 0; left--) {
    at = rawTarget.indexOf('/', at + 1);
    if (at === -1 || at > pathEnd) return '/';
  }
  return rawTarget.slice(at);
}

/** A mount such as `/api/llm`, checked once: no trailing slash, nothing that a raw target would not hold as it is. */
export function checkedPrefix(prefix: string): string {
  const trimmed = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  if (trimmed !== '' && !/^(?:\/[A-Za-z0-9._~:-]+)+$/.test(trimmed)) {
    throw new TypeError(`prefix must be a path such as "/api/llm", got ${JSON.stringify(prefix)}`);
  }
  return trimmed;
}

/** No host, user or port of the caller's: a `Host` header is a claim, and a URL built from it spreads the claim. */
const origins = { plain: 'http://ziggie.invalid', encrypted: 'https://ziggie.invalid' };

// Dot segments and empty segments would be rewritten by the URL parser, so such targets get no path in the URL.
const plainTarget = /^(?=\/)(?:\/(?!\.{1,2}(?:[/?]|$))[A-Za-z0-9._~:-]+)*\/?(?:\?[A-Za-z0-9._~:/?&=%+-]*)?$/;

/**
 * The URL of a `Request`: always constructible, and equal to the target where the target is plain. For any other
 * target its path is `/`; `Connection.target` is what routes are looked up by.
 */
export function requestUrl(target: string, encrypted: boolean): string {
  const origin = encrypted ? origins.encrypted : origins.plain;
  return plainTarget.test(target) ? origin + target : `${origin}/`;
}
