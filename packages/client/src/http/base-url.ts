import { wrong } from '../check-arguments.ts';

/**
 * The address that paths are appended to: absolute, without a trailing slash.
 *
 * A path alone is resolved against the page, where there is one.
 *
 * @throws {TypeError} when it is not http(s), carries credentials, a query or a fragment, or is a path outside a page.
 *   The message never repeats what might be a password.
 */
export function parseBaseUrl(baseUrl: string, pageUrl: string | undefined): string {
  const refused = (found: string): TypeError =>
    wrong('baseUrl', `${found}. Give one such as "http://127.0.0.1:11434"`);
  let url: URL;
  try {
    url = new URL(baseUrl, pageUrl);
  } catch {
    throw refused('it is not absolute, and there is no page');
  }
  const { protocol, origin, pathname } = url;
  if (!/^https?:$/.test(protocol)) throw refused(`it begins with "${protocol}"`);
  if (url.username || url.password) throw refused('a user name or password belongs in "credentials"');
  if (url.search || url.hash) throw refused('it has a query or a fragment');
  return origin + pathname.replace(/\/+$/, '');
}
