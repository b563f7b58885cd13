import type { Connection } from '../connection.ts';
import { headerOf } from '../request/direct-request.ts';
import { pathOf } from '../request/target.ts';

// RFC 6750 §2.1, with a bound: a token longer than any header limit is not looked at.
const bearer = /^Bearer ([A-Za-z0-9._~+/-]{1,8192}=*)$/i;
const maxKeyHeaderLength = 256;

/** Where Anthropic's clients put their key, and the only place where it is read. */
const apiKeyPath = '/v1/messages';

/** The credential of a request, or why there is none, as text for the log. */
export type Credential = { text: string } | { fault: string };

/** Finds the credential in a request's headers. Two of them are none: they could be two people. */
export function credentialOf(request: Request, connection: Connection): Credential {
  const authorization = headerOf(request, 'authorization');
  const apiKey = pathOf(connection.target) === apiKeyPath ? headerOf(request, 'x-api-key') : null;
  if (authorization !== null && apiKey !== null) return { fault: 'both Authorization and x-api-key' };
  if (apiKey !== null) {
    return apiKey.length <= maxKeyHeaderLength ? { text: apiKey } : { fault: 'x-api-key is too long' };
  }
  if (authorization === null) return { fault: 'no Authorization header' };
  const text = bearer.exec(authorization)?.[1];
  return text === undefined ? { fault: 'Authorization is not a bearer token' } : { text };
}
