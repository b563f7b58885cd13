/**
 * The address that paths are appended to: absolute, without a trailing slash.
 *
 * A path alone is resolved against the page, where there is one.
 *
 * @throws {TypeError} when it is not http(s), carries credentials, a query or a fragment, or is a path outside a page.
 *   The message never repeats what might be a password.
 */
export function parseBaseUrl(baseUrl: string, pageUrl: string | undefined): string {
  let url: URL;
  try {
    url = new URL(baseUrl, pageUrl);
  } catch {
    throw wrong('it is not an absolute URL, and there is no page to resolve it against');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw wrong(`it begins with "${url.protocol}"`);
  if (url.username !== '' || url.password !== '') {
    throw wrong('it carries a user name or password; give a token as "credentials" instead');
  }
  if (url.search !== '' || url.hash !== '') throw wrong('it has a query or a fragment');
  return url.origin + url.pathname.replace(/\/+$/, '');
}

function wrong(found: string): TypeError {
  return new TypeError(`Reading baseUrl: ${found}. Give an address such as "http://127.0.0.1:11434".`);
}
